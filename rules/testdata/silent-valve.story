# A valve that has gone silent hides no frost: after an hour another thermometer of the room counts, and the valve's again
# once it speaks.
zone Europe/Paris
start 2025-12-24 03:00
home h1 Maison frost=7
room bath Bath
device v1 NRV room=bath face=accessory target=5..30/0.5 obeys
device m1 NAModule4 room=bath face=netatmo

03:00 view bath=off/5
03:00 reading v1 target 5
03:00 reading v1 temperature 18
03:30 reading m1 temperature 6.5
04:10 reading m1 temperature 6.5
> 04:10:00 alarm: Bath is only 6.5 °C warm (the frost floor is 7 °C: look whether the heating works there)
> 04:10:00 heating: Bath: NRV v1 is set to 8 °C (6.5 °C is below the frost floor of 7 °C)
> 04:10:00 accessory/v1/target = 8 (6.5 °C is below the frost floor of 7 °C)
04:20 reading v1 temperature 18
