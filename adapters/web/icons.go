package web

// The signs of the page. Each says its meaning by its shape, not by colour alone; they are drawn in the colour of the text
// around them, and what they mean stands in words beside them.
const (
	flame markup = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path fill="currentColor" d="M12 2c1 4-4.5 6.5-4.5 12a4.5 4.5 0 0 0 1.8 3.7C9 15 12 13.5 12 11c2 2 2.7 4.2 2.4 6.9A4.8 4.8 0 0 0 17 13.5C17 9 13 7 12 2Z"/><path fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" d="M7 21.5h10"/></svg>`

	cloudSign   markup = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path fill="none" stroke="currentColor" stroke-width="1.8" stroke-linejoin="round" d="M7 18.5a4.2 4.2 0 0 1-.4-8.380A5.6 5.6 0 0 1 17.4 9.3 4.6 4.6 0 0 1 17 18.5Z"/><path fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" d="m9.3 13.8 1.9 1.9 3.5-3.8"/></svg>`
	doubtSign   markup = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path fill="none" stroke="currentColor" stroke-width="1.8" stroke-linejoin="round" d="m12 2.5 9.5 9.5-9.5 9.5L2.5 12Z"/><path fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" d="M9.7 9.7a2.4 2.4 0 1 1 3.6 2.1c-.9.5-1.3 1-1.3 2m0 2.6v.1"/></svg>`
	houseSign   markup = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path fill="none" stroke="currentColor" stroke-width="1.8" stroke-linejoin="round" d="M3 11 12 3l9 8v10H3Z"/><path fill="currentColor" d="M12 8.5c.7 2.6-2.7 3.9-2.7 7a2.7 2.7 0 0 0 5.4 0c0-2.7-2.1-4-2.7-7Z"/></svg>`
	returnSign  markup = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" d="M20 12a8 8 0 1 1-2.3-5.6M20 3v4.5h-4.5"/></svg>`
	startSign   markup = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="8.5" fill="none" stroke="currentColor" stroke-width="1.8" stroke-dasharray="3 3.5"/></svg>`
	alarmSign   markup = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" d="M12 3 22 20.5H2Z"/><path stroke="currentColor" stroke-width="2" stroke-linecap="round" d="M12 9.5v5m0 2.9v.1"/></svg>`
	yesSign     markup = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path fill="none" stroke="currentColor" stroke-width="1.8" stroke-linejoin="round" d="M12 2.5 20 5.5v6c0 5-3.4 8.4-8 10-4.6-1.6-8-5-8-10v-6Z"/><path fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" d="m8.5 12 2.5 2.5 4.5-5"/></svg>`
	noSign      markup = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path fill="none" stroke="currentColor" stroke-width="1.8" stroke-linejoin="round" d="M12 2.5 20 5.5v6c0 5-3.4 8.4-8 10-4.6-1.6-8-5-8-10v-6Z"/><path stroke="currentColor" stroke-width="1.8" stroke-linecap="round" d="M12 7.5v5m0 3v.1"/></svg>`
	deviceSign  markup = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="5" fill="currentColor"/></svg>`
	missingSign markup = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path stroke="currentColor" stroke-width="2.6" stroke-linecap="round" d="m7.5 7.5 9 9m0-9-9 9"/></svg>`
)

var phaseSigns = map[string]markup{"watching": cloudSign, "suspect": doubtSign, "local": houseSign, "returning": returnSign}
