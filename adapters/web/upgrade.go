package web

import "time"

// RolledBack says that a newer program has failed its trial, and that the one before it serves again.
type RolledBack struct {
	Failed  string    `json:"failed"`  // version that failed
	Serving string    `json:"serving"` // version that serves in its place
	Reason  string    `json:"reason"`  // what it did, as a word: exited, crashed, hung, never-ready, mute, damage, asked
	At      time.Time `json:"at"`
}

// rolledBack stands among the troubles: the house goes on, but not with what was installed.
func (p *sheet) rolledBack() {
	r := p.house.RolledBack
	if r == nil {
		return
	}
	reason := "upgrade.failed"
	switch r.Reason {
	case "crashed", "hung", "never-ready":
		reason = "upgrade." + r.Reason
	}
	p.put(`<section class="card outlook short"><div class="sign">%s</div><div class="words"><h2>%s</h2><p>%s %s %s</p></div></section>`,
		missingSign, p.say("upgrade"), p.say("upgrade.back", r.Failed, r.Serving), p.say(reason), p.say("upgrade.next"))
}
