package web

// upgradeTexts are those of an upgrade that was taken back: English, French.
var upgradeTexts = map[string][2]string{
	"upgrade":             {"The upgrade was taken back", "La mise à jour a été annulée"},
	"upgrade.back":        {"Version %s failed its trial, so %s serves again.", "La version %s a échoué à l’essai, la %s a donc repris."},
	"upgrade.crashed":     {"It crashed.", "Elle a planté."},
	"upgrade.hung":        {"It gave no sign of life.", "Elle ne donnait plus signe de vie."},
	"upgrade.never-ready": {"It did not become ready.", "Elle n’est jamais devenue prête."},
	"upgrade.failed":      {"The system journal says more.", "Le journal du système en dit plus."},
	"upgrade.next":        {"The next newer version is tried by itself.", "La prochaine version plus récente sera essayée automatiquement."},
}
