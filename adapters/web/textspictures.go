package web

// pictureTexts are those of the page of pictures: English, French.
var pictureTexts = map[string][2]string{
	"pictures":     {"Pictures", "Graphiques"},
	"pic.of":       {"48 h of %s", "48 h : %s"},
	"pic.rooms":    {"The last 48 hours", "Les dernières 48 heures"},
	"pic.held":     {"Hatched: not recorded. Touch a picture to read it off, or use the arrow keys on its slider.", "Hachuré : non enregistré. Touchez un graphique pour le lire, ou déplacez son curseur avec les flèches."},
	"pic.room":     {"%s: 48 hours", "%s : 48 heures"},
	"pic.legend":   {"What the pictures show", "Ce que montrent les graphiques"},
	"pic.renews":   {"Pictures renew themselves every minute.", "Les graphiques se renouvellent chaque minute."},
	"pic.none":     {"not recorded", "non enregistré"},
	"pic.range":    {"From %s to %s °C; heated for %s; temperature not recorded for %s.", "De %s à %s °C ; chauffée pendant %s ; température non enregistrée pendant %s."},
	"pic.watching": {"Netatmo", "Netatmo"}, "pic.suspect": {"in doubt", "en doute"}, "pic.local": {"Veilleuse", "Veilleuse"}, "pic.returning": {"handing back", "retour"},
	"pic.temperature": {"temperature", "température"}, "pic.target": {"target", "consigne"}, "pic.heating": {"heating", "chauffage"},

	"pic.outages":     {"Outages", "Pannes"},
	"pic.nooutage":    {"No outage is remembered.", "Aucune panne en mémoire."},
	"pic.outagecount": {"Outages that are remembered: %d, drills included; from the first failure on.", "Pannes en mémoire : %d, exercices compris ; à partir du premier échec."},
	"pic.noticing":    {"not yet certain", "pas encore certain"},
	"pic.evidence":    {"What was seen in each outage", "Ce qui a été constaté à chaque panne"},
	"pic.deeds":       {"Changes of the schedule kept: %d of %d. Commands to devices: %d. Wishes: %d. Alarms: %d.", "Changements du planning tenus : %d sur %d. Commandes aux appareils : %d. Demandes : %d. Alarmes : %d."},

	"pic.year":    {"Netatmo’s availability, day by day", "Disponibilité de Netatmo, jour par jour"},
	"pic.watched": {"Days watched: %d of the last %d.", "Jours observés : %d sur les %d derniers."},
	"pic.shares":  {"Netatmo served %s of the time watched in %d days.", "Netatmo a répondu %s du temps observé sur %d jours."},
	"pic.utc":     {"Days are those of UTC.", "Les jours sont ceux d’UTC."},
	"pic.good":    {"served all day", "disponible toute la journée"},
	"pic.slight":  {"gone under 15 min", "indisponible moins de 15 min"},
	"pic.bad":     {"gone under 2 h", "indisponible moins de 2 h"},
	"pic.worst":   {"gone longer", "indisponible plus longtemps"},
	"pic.ours":    {"our own fault", "défaut de notre côté"},
	"pic.unseen":  {"not watched", "non observé"},
	"pic.served":  {"served %s of %s watched", "a répondu %s de %s observées"},
	"pic.outage":  {"outage %s", "panne %s"},

	"pic.writes":     {"Written to the card, a day", "Écrit sur la carte, par jour"},
	"pic.writewords": {"Days counted: %d. On average %s MB and %s flushes a day.", "Jours comptés : %d. En moyenne %s Mo et %s synchronisations par jour."},
	"pic.megabytes":  {"MB", "Mo"},
	"pic.flushes":    {"flushes", "synchronisations"},
	"pic.written":    {"written", "écrit"},
	"pic.limit":      {"goal of a quiet day", "objectif d’un jour calme"},
	"pic.uncounted":  {"not counted", "non compté"},
	"pic.daywritten": {"%s MB, %d flushes, counted for %s", "%s Mo, %d synchronisations, comptés pendant %s"},

	"pic.decisions": {"The last decisions", "Les dernières décisions"},
}
