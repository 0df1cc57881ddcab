// Package netatmo wraps the vendor's cloud: what it knows of the home, what it can set there, and
// whether it can be relied upon.
//
// The adapter copies the home's plan (homesdata), mirrors what holds and what is measured (homestatus,
// getstationsdata, gethomecoachsdata, getevents), carries out commands (setroomthermpoint,
// setthermmode, switchhomeschedule, setstate), and reports of every single request what it alone says
// about the cloud. It decides nothing: no answer, however bad, makes it forget a device or a room.
//
// One goroutine does everything, so that there is one refresher of the tokens: the vendor's refresh
// tokens are good for one use, and two users of one pair lock each other out.
//
// Of what the vendor answers, see the files named after the calls; all of it is read leniently, see
// loose.go. Where a comment names a source, it is the project that the fact was seen in: pyatmo,
// openHAB, Home Assistant, Gladys, ioBroker, Netatmo-API-PHP.
package netatmo
