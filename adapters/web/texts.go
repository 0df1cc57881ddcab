package web

import (
	"net/http"
	"strconv"
	"strings"
)

// lang is a language of the page.
type lang int

const (
	english lang = iota
	french
)

// code is the language as HTML names it.
func (l lang) code() string { return [...]string{"en", "fr"}[l] }

// languageOf is the language of the page for a browser: the first of its own that we have, else English.
func languageOf(r *http.Request) lang {
	best, weight := english, -1.0
	for _, wanted := range strings.Split(r.Header.Get("Accept-Language"), ",") {
		name, rest, _ := strings.Cut(strings.TrimSpace(wanted), ";")
		q := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(rest), "q="); ok {
			q, _ = strconv.ParseFloat(value, 64) // what is no number weighs nothing
		}
		primary, _, _ := strings.Cut(strings.ToLower(name), "-")
		for _, l := range []lang{english, french} {
			if primary == l.code() && q > weight {
				best, weight = l, q
			}
		}
	}
	return best
}

// tables are every text of the page, one for each of its parts.
var tables = []map[string][2]string{houseTexts, pictureTexts, outageTexts, careTexts, firstTexts, upgradeTexts}

// textOf is a text in both languages; false: there is none of that key.
func textOf(key string) ([2]string, bool) {
	for _, table := range tables {
		if t, ok := table[key]; ok {
			return t, true
		}
	}
	return [2]string{}, false
}

// houseTexts are those of the house and of its door: English, French. The French of what the rules say stands in reasons.fr.txt.
var houseTexts = map[string][2]string{
	"app": {"Veilleuse", "Veilleuse"},

	"welcome.title":    {"Welcome", "Bienvenue"},
	"welcome.lead":     {"Choose the password of this house. Whoever is on the home network and knows it can see the house and steer it.", "Choisissez le mot de passe de cette maison. Toute personne sur le réseau de la maison qui le connaît peut la voir et la piloter."},
	"welcome.go":       {"Open the house", "Ouvrir la maison"},
	"signin.title":     {"Sign in", "Connexion"},
	"signin.lead":      {"The house is shown to those who know its password.", "La maison se montre à ceux qui connaissent son mot de passe."},
	"signin.go":        {"Sign in", "Se connecter"},
	"signin.lost":      {"Password lost? On the machine that runs Veilleuse, the command veilleuse password sets another.", "Mot de passe perdu ? Sur la machine où tourne Veilleuse, la commande veilleuse password en définit un autre."},
	"signout":          {"Sign out", "Se déconnecter"},
	"password":         {"Password", "Mot de passe"},
	"password.again":   {"The same once more", "Le même, encore une fois"},
	"password.hint":    {"8 characters at least", "8 caractères au moins"},
	"password.differs": {"The two are not the same.", "Les deux ne sont pas identiques."},
	"password.bounds":  {"A password has 8 to 256 characters.", "Un mot de passe a de 8 à 256 caractères."},
	"password.wrong":   {"That is not the password.", "Ce n’est pas le mot de passe."},
	"password.wait":    {"Too many wrong passwords from here: wait a moment, then try again.", "Trop de mots de passe erronés depuis cet appareil : patientez un peu, puis réessayez."},

	"since":      {"since %s", "depuis %s"},
	"since.date": {"since %s", "depuis le %s"},
	"until":      {"until %s", "jusqu’à %s"},
	"until.date": {"until %s", "jusqu’au %s"},
	"ago":        {"%s ago", "il y a %s"},
	"now":        {"just now", "à l’instant"},
	"skip":       {"To the rooms", "Aller aux pièces"},
	"refresh":    {"Without JavaScript this page renews itself every minute.", "Sans JavaScript, cette page se renouvelle toutes les minutes."},
	"js.lost":    {"Not connected: what you see may be old.", "Hors connexion : ce que vous voyez peut être ancien."},
	"js.full":    {"Too many pages are open: this one is renewed every 20 seconds.", "Trop de pages ouvertes : celle-ci se renouvelle toutes les 20 secondes."},
	"js.failed":  {"That did not reach the house. Try again.", "La maison n’a pas reçu la demande. Réessayez."},
	"js.sound":   {"Let it sound", "Activer le son"},
	"js.silent":  {"Touch the page once so that an alarm can sound here.", "Touchez la page une fois pour qu’une alarme puisse sonner ici."},
	"js.sounds":  {"Sound is ready", "Le son est prêt"},

	"phase.":          {"Veilleuse is starting", "Veilleuse démarre"},
	"phase.watching":  {"Netatmo is in charge", "Netatmo est aux commandes"},
	"phase.suspect":   {"Netatmo may be gone", "Netatmo ne répond peut-être plus"},
	"phase.local":     {"Veilleuse runs the house", "Veilleuse a pris le relais"},
	"phase.returning": {"The house is being handed back", "La maison est rendue à Netatmo"},
	"drill":           {"Drill", "Exercice"},
	"outlook":         {"If Netatmo failed now", "Si Netatmo tombait maintenant"},
	"outlook.yes":     {"The house would go on.", "La maison continuerait."},
	"outlook.no":      {"Something would be missing.", "Il manquerait quelque chose."},
	"outlook.served":  {"Heated rooms: %d of %d; alarms: %d of %d.", "Pièces chauffées : %d sur %d ; alarmes : %d sur %d."},
	"outlook.gaps":    {"What is missing", "Ce qui manque"},
	"evidence":        {"What was seen", "Ce qui a été constaté"},

	"verdict.":              {"not looked at yet", "pas encore examiné"},
	"verdict.unknown":       {"not looked at yet", "pas encore examiné"},
	"verdict.ok":            {"Netatmo answers", "Netatmo répond"},
	"verdict.cloud-down":    {"Netatmo does not answer", "Netatmo ne répond pas"},
	"verdict.degraded":      {"Netatmo answers, but not usefully", "Netatmo répond, mais mal"},
	"verdict.internet-down": {"No internet", "Pas d’internet"},
	"verdict.lan-down":      {"No home network", "Pas de réseau local"},
	"verdict.resolver":      {"The name server fails", "Le serveur de noms est en panne"},
	"verdict.hijack":        {"Somebody else answers for Netatmo", "Un autre répond à la place de Netatmo"},
	"verdict.captive":       {"A portal wants a sign-in", "Un portail demande une connexion"},
	"verdict.auth-revoked":  {"Netatmo no longer takes our sign-in", "Netatmo n’accepte plus notre connexion"},
	"verdict.rate-limited":  {"Our quota at Netatmo is used up", "Notre quota chez Netatmo est épuisé"},
	"verdict.clock-wrong":   {"The clock is wrong", "L’horloge est fausse"},
	"verdict.self":          {"Veilleuse itself is at fault", "Veilleuse elle-même est en cause"},

	"alarm":             {"ALARM", "ALARME"},
	"alarm.smoke":       {"Smoke", "Fumée"},
	"alarm.co":          {"Carbon monoxide", "Monoxyde de carbone"},
	"alarm.intrusion":   {"Intrusion", "Intrusion"},
	"of":                {"%s: %s", "%s : %s"},
	"alarm.sounding":    {"it sounds", "elle sonne"},
	"alarm.hushed":      {"hushed; the alarm goes on", "sirènes coupées ; l’alarme continue"},
	"alarm.pre-alarm":   {"gas, not dangerous yet", "du gaz, pas encore dangereux"},
	"alarm.test":        {"a test", "un essai"},
	"alarm.cleared":     {"over", "terminée"},
	"alarm.acknowledge": {"I am seeing to it", "Je m’en occupe"},
	"alarm.ackhint":     {"Nobody else is called; sirens go on.", "Plus personne n’est appelé ; les sirènes continuent."},
	"alarm.hush":        {"Silence the sirens", "Couper les sirènes"},
	"alarm.answered":    {"answered %s, from %s", "prise en charge à %s, depuis %s"},
	"alarm.told":        {"Who was told", "Qui a été prévenu"},
	"alarm.delivered":   {"confirmed %s", "confirmé à %s"},
	"alarm.waiting":     {"not confirmed", "non confirmé"},

	"home":           {"The house", "La maison"},
	"mode":           {"Mode of the house", "Mode de la maison"},
	"mode.schedule":  {"Schedule", "Planning"},
	"mode.away":      {"Away", "Absent"},
	"mode.frost":     {"Frost guard", "Hors-gel"},
	"mode.for":       {"For how long", "Pour combien de temps"},
	"for.none":       {"until changed", "jusqu’à nouvel ordre"},
	"for.usual":      {"the usual time", "la durée habituelle"},
	"for.1h":         {"1 hour", "1 heure"},
	"for.2h":         {"2 hours", "2 heures"},
	"for.4h":         {"4 hours", "4 heures"},
	"for.8h":         {"8 hours", "8 heures"},
	"for.1d":         {"1 day", "1 jour"},
	"for.3d":         {"3 days", "3 jours"},
	"for.7d":         {"1 week", "1 semaine"},
	"for.14d":        {"2 weeks", "2 semaines"},
	"schedule":       {"Schedule in force", "Planning en cours"},
	"schedule.set":   {"Follow it", "Le suivre"},
	"guard":          {"Guard against intruders", "Garde contre l’intrusion"},
	"guard.off":      {"Off", "Arrêt"},
	"guard.stay":     {"Stay", "Présent"},
	"guard.away":     {"Away", "Absent"},
	"guard.night":    {"Night", "Nuit"},
	"guard.arming":   {"%d s to leave", "%d s pour sortir"},
	"guard.armed":    {"it watches", "elle veille"},
	"guard.entering": {"%d s to switch it off", "%d s pour l’arrêter"},
	"guard.tripped":  {"it has tripped", "elle s’est déclenchée"},
	"guard.out":      {"Left out: %s", "Laissés de côté : %s"},
	"guard.open":     {"Watched once shut: %s", "Surveillés une fois fermés : %s"},
	"guard.deaf":     {"Not heard: %s", "Non entendus : %s"},
	"guard.bypass":   {"Leave out what is open or not heard", "Laisser de côté ce qui est ouvert ou muet"},
	"drill.lead":     {"Play an outage on the real house: Veilleuse takes over, and hands back by itself.", "Simuler une panne sur la vraie maison : Veilleuse prend le relais, puis rend la maison d’elle-même."},
	"drill.start":    {"Play 10 minutes", "Simuler 10 minutes"},
	"drill.stop":     {"End the drill", "Arrêter l’exercice"},
	"test.lead":      {"Before you press the test buttons of detectors: for 5 minutes what sounds is a test.", "Avant d’appuyer sur le bouton d’essai des détecteurs : pendant 5 minutes, ce qui sonne est un essai."},
	"test.start":     {"Announce a test", "Annoncer un essai"},
	"more":           {"Drill and tests", "Exercice et essais"},

	"rooms":            {"Rooms", "Pièces"},
	"rooms.none":       {"No room is known yet: sign in at Netatmo (veilleuse login), or pair an accessory (veilleuse pair).", "Aucune pièce connue : connectez-vous à Netatmo (veilleuse login) ou appairez un accessoire (veilleuse pair)."},
	"room.unmeasured":  {"not measured", "non mesurée"},
	"room.old":         {"too old to count:", "trop ancienne :"},
	"room.temperature": {"Temperature", "Température"},
	"room.target":      {"Target", "Consigne"},
	"room.target.of":   {"Target of %s in °C", "Consigne de %s en °C"},
	"room.notarget":    {"no target", "sans consigne"},
	"room.warmer":      {"Warmer: %s °C in %s", "Plus chaud : %s °C dans %s"},
	"room.cooler":      {"Cooler: %s °C in %s", "Moins chaud : %s °C dans %s"},
	"room.heating":     {"heating", "chauffe"},
	"room.window":      {"window open", "fenêtre ouverte"},
	"room.change":      {"Change", "Modifier"},
	"room.set":         {"Set", "Régler"},
	"room.home":        {"Follow the schedule", "Suivre le planning"},
	"room.off":         {"Off", "Arrêt"},
	"room.shows":       {"the device shows %s°", "l’appareil affiche %s°"},
	"room.confirmed":   {"taken", "pris en compte"},
	"room.schedule":    {"schedule", "planning"},
	"room.manual":      {"by hand", "à la main"},
	"room.max":         {"boost", "boost"},
	"room.away":        {"away", "absent"},
	"room.frost":       {"frost guard", "hors-gel"},
	"room.off.mode":    {"off", "arrêt"},
	"room.hold":        {"held, the clock is in doubt", "maintenue, l’heure est incertaine"},

	"devices":         {"Devices", "Appareils"},
	"devices.none":    {"No device is known yet.", "Aucun appareil connu."},
	"device.away":     {"does not answer", "ne répond pas"},
	"device.silent":   {"not heard for too long", "muet depuis trop longtemps"},
	"device.neverhad": {"nothing heard yet", "rien entendu encore"},
	"via.accessory":   {"HomeKit", "HomeKit"},
	"via.netatmo":     {"Netatmo’s cloud", "nuage Netatmo"},
	"via.mqtt":        {"MQTT", "MQTT"},
	"via.camera":      {"camera, LAN", "caméra, réseau local"},
	"via.ear":         {"by ear", "à l’oreille"},

	"lately":      {"Lately", "Récemment"},
	"lately.none": {"Nothing has happened yet.", "Il ne s’est encore rien passé."},
	"troubles":    {"Parts that do not run", "Parties à l’arrêt"},
	"clock.doubt": {"The clock is not confirmed", "L’heure n’est pas confirmée"},

	"q.temperature": {"temperature", "température"}, "q.target": {"target", "consigne"}, "q.humidity": {"humidity", "humidité"}, "q.co2": {"CO₂", "CO₂"},
	"q.noise": {"noise", "bruit"}, "q.pressure": {"pressure", "pression"}, "q.rain": {"rain", "pluie"}, "q.rain-today": {"rain today", "pluie du jour"},
	"q.wind": {"wind", "vent"}, "q.gust": {"gusts", "rafales"}, "q.battery": {"battery", "pile"}, "q.motion": {"motion", "mouvement"},
	"q.contact": {"open", "ouvert"}, "q.smoke": {"smoke", "fumée"}, "q.co": {"CO", "CO"}, "q.co-level": {"CO level", "taux de CO"},
	"q.siren": {"siren", "sirène"}, "q.on": {"on", "allumé"}, "q.position": {"position", "position"}, "q.power": {"power", "puissance"},
	"q.boiler": {"heat called for", "demande de chauffe"}, "q.relay": {"relay", "relais"}, "q.heating-request": {"demand", "demande"},
	"q.open-window": {"window", "fenêtre"}, "q.monitoring": {"watches", "surveille"}, "q.low-battery": {"battery low", "pile faible"},
	"yes": {"yes", "oui"}, "no": {"no", "non"},
}

// days and months as they are written short.
var (
	days   = [2][7]string{{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}, {"dim.", "lun.", "mar.", "mer.", "jeu.", "ven.", "sam."}}
	months = [2][12]string{{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
		{"janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."}}
)
