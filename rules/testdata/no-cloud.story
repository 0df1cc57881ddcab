# A house without an account: wishes go straight to the device, and nothing is in charge of it but people.
zone Europe/Paris
start 2025-10-29 16:30
room bath Bath
device v1 Foreign foreign room=bath face=accessory target=10..38/0.5 obeys

16:30 call auth unknown "not signed in"
16:31 reading v1 target 19
16:32 wish "Home app" bath 21
> 16:32:00 wish: Bath: 21 °C until 19:32 (asked for in Home app)
> 16:32:00 heating: Bath: Foreign v1 is set to 21 °C (set in Home app until 19:32)
> 16:32:00 accessory/v1/target = 21 until Wed 19:32 (set in Home app until 19:32)
16:40 wish "Home app" bath off
> 16:40:00 wish: Bath is switched off, down to the frost floor (asked for in Home app)
> 16:40:00 heating: Bath: Foreign v1 is set to 10 °C (switched off in Home app; the frost floor stays; the device goes no further than 10 °C)
> 16:40:00 accessory/v1/target = 10 (switched off in Home app; the frost floor stays; the device goes no further than 10 °C)
19:45 nothing
