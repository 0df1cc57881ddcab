// Package gateway holds the six nouns of the house and the one loop that turns them.
//
//	devices on the LAN, Bluetooth, microphone     Netatmo cloud      people: Home app, MQTT, page
//	            \                                       |                     /
//	          accessory  camera  ear          netatmo  uplink  clock    homekit  mqtt  web       <- adapters/
//	                     \______________________________|______________________/
//	                                            |  Event {At, From, Fact}
//	                                       Loop  -- calls -->  rules.Step (pure)
//	                                            |  owns State
//	               newest State to every adapter + Commands to the one addressed
//
// An [Event] says that something happened. The [State] is all that is known. A [Step] is the only
// place where anything is decided; it is pure. A [Command] says what a point ought to be. An
// [Adapter] is exactly one outside system. The [Loop] owns the State and never waits for an adapter.
//
// One goroutine touches the State, so there is no lock here. Time reaches a Step only inside an
// Event: what the wall clock says is stamped once, when an adapter posts a fact.
package gateway
