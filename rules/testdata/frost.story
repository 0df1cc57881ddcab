# The frost floor holds whoever is in charge, and never lowers a target.
zone Europe/Paris
start 2025-12-24 03:00
home h1 Maison frost=7
room bath Bath
room shed Shed
device v1 NRV room=bath face=accessory target=5..30/0.5 obeys
device v2 NRV room=shed face=accessory target=5..30/0.5

03:00 view bath=off/5 shed=schedule/20
03:00 reading v1 target 5
03:00 reading v2 target 20
03:01 reading v1 temperature 6.5
> 03:01:00 alarm: Bath is only 6.5 °C warm (the frost floor is 7 °C: look whether the heating works there)
> 03:01:00 heating: Bath: NRV v1 is set to 8 °C (6.5 °C is below the frost floor of 7 °C)
> 03:01:00 accessory/v1/target = 8 (6.5 °C is below the frost floor of 7 °C)
03:01 reading v2 temperature 6.5
> 03:01:00 alarm: Shed is only 6.5 °C warm (the frost floor is 7 °C: look whether the heating works there)
03:02 reading v1 temperature 85
