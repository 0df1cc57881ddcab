# The vendor switches rooms with a thermostat off, and refuses it for rooms with valves only: such a room is told
# the frost guard's temperature instead, with an end that is far, for without one it would last three hours.
zone Europe/Paris
start 2025-10-29 16:30
home h1 Maison frost=8
room bath Bath
week 06:30=day
target day bath=19

16:30 view bath=schedule/19
16:35 wish "Home app" bath off
> 16:35:00 wish: Bath is switched off, down to the frost floor (asked for in Home app)
> 16:35:00 netatmo/bath/mode = off (asked for in Home app)
16:35:01 outcome netatmo/bath/mode "OFF mode can only be applied on thermostat room" final from=netatmo
> 16:35:01 device: off for mode of Bath in Netatmo was not carried out (OFF mode can only be applied on thermostat room)
> 16:35:01 netatmo/bath/target = 8 until Thu 16:35 (Netatmo does not switch this room off)
16:35:03 outcome netatmo/bath/target ok from=netatmo
16:36 view bath=manual/8
16:40 wish "Home app" bath home
> 16:40:00 wish: Bath follows the home (asked for in Home app)
> 16:40:00 netatmo/bath/mode = home (asked for in Home app)
16:40:02 outcome netatmo/bath/mode ok from=netatmo
16:41 view bath=schedule/19
16:45 nothing
