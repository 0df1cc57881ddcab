package uplink

import (
	"fmt"
	"slices"

	"github.com/veilleuse/veilleuse/gateway"
)

// judgeNames: there is no address of the vendor to dial.
func judgeNames(o observation) finding {
	answer := decisive(o.names)
	switch answer.outcome {
	case found:
		return finding{verdict: gateway.VerdictHijack,
			why: fmt.Sprintf("The name server %s says that %s is %s, which is %s: an ad blocker or a portal", server(answer), o.host,
				answer.addresses[0], refused(answer.addresses[0], o.local))}
	case missing, empty:
		return judgeDenied(o, answer)
	case servfail:
		return judgeServfail(o, answer)
	case noAnswer:
		return judgeUnanswered(o, answer)
	case noWay:
		if o.internet() == gateway.Yes {
			return o.failingServer(answer)
		}
		return o.outside("no name server can be reached from here")
	default:
		return judgeBadServer(o, answer)
	}
}

// judgeDenied: the name server is sure that there is no such name or address. Either the vendor's entry
// is gone for everybody, or the home's name server is wrong; a second one tells.
func judgeDenied(o observation, answer lookup) finding {
	agree := 0
	for _, l := range slices.Concat(o.names, o.second) {
		switch {
		case l.outcome == found && len(usable(l.addresses, o.local)) > 0:
			return finding{verdict: gateway.VerdictResolver,
				why: fmt.Sprintf("Your name server %s says that %s %s, but %s finds it", server(answer), o.host, answer.outcome, server(l))}
		case l.outcome == missing || l.outcome == empty:
			agree++
		}
	}
	switch {
	case o.internet() == gateway.No:
		return o.outside(fmt.Sprintf("the name %s %s", o.host, answer.outcome))
	case agree >= 2:
		return o.beyond(fmt.Sprintf("%d name servers say that %s %s", agree, o.host, answer.outcome))
	default:
		return finding{verdict: gateway.VerdictResolver,
			why: fmt.Sprintf("Your name server %s says that %s %s, and no other confirms it", server(answer), o.host, answer.outcome)}
	}
}

// judgeServfail: the name server tried and failed. If it finds other names, the fault is the vendor's.
func judgeServfail(o observation, answer lookup) finding {
	asked, ok := o.nameVotes(answer.server)
	switch {
	case o.internet() == gateway.No:
		return o.outside(fmt.Sprintf("the name %s %s", o.host, answer.outcome))
	case asked && !ok:
		return o.failingServer(answer)
	default:
		return o.beyond(fmt.Sprintf("the name %s %s", o.host, answer.outcome))
	}
}

// judgeUnanswered: no name server said anything about the vendor's name.
func judgeUnanswered(o observation, answer lookup) finding {
	_, ok := o.nameVotes("")
	switch {
	case o.internet() == gateway.No, o.router == gateway.No:
		return o.outside("the name server is silent")
	case ok:
		return o.beyond(fmt.Sprintf("no name server answers for %s, though it does for other names", o.host))
	case o.internet() == gateway.Yes:
		return o.failingServer(answer)
	default:
		return finding{verdict: gateway.VerdictInternetDown, why: "The name server " + server(answer) + " is silent" + eitherOne}
	}
}

// judgeBadServer: the name server itself is at fault: dead, or it will not serve us. A router that has
// lost the internet refuses too.
func judgeBadServer(o observation, answer lookup) finding {
	if o.tally(aDoor) == gateway.No {
		return o.outside(fmt.Sprintf("the name %s %s", o.host, answer.outcome))
	}
	return o.failingServer(answer)
}

func (o observation) failingServer(answer lookup) finding {
	return finding{verdict: gateway.VerdictResolver,
		why: fmt.Sprintf("Your name server %s fails: %s %s", server(answer), o.host, answer.outcome)}
}

// nameVotes says whether there are name witnesses, and whether one of them was found by that name
// server ("": by any).
func (o observation) nameVotes(server string) (asked, ok bool) {
	for _, v := range o.votes {
		if v.of.kind == aName {
			asked = true
			ok = ok || server == "" && v.yes || slices.Contains(v.servers, server)
		}
	}
	return asked, ok
}

// tally is the vote of one kind of witness: yes if any of them is well, no if none is, not known if
// none could be asked.
func (o observation) tally(k kind) gateway.Answer {
	result := gateway.NotKnown
	for _, v := range o.votes {
		switch {
		case v.of.kind != k || v.abstain:
		case v.yes:
			return gateway.Yes
		default:
			result = gateway.No
		}
	}
	return result
}

// ballot counts the kinds of witnesses that voted and that said yes.
func (o observation) ballot() (yes, voted int) {
	for _, k := range []kind{aName, aDoor, aPage} {
		switch o.tally(k) {
		case gateway.Yes:
			yes, voted = yes+1, voted+1
		case gateway.No:
			voted++
		}
	}
	return yes, voted
}

// internet says whether the internet is there: two kinds of witnesses out of three say so, or the one
// kind there is. Connections alone are enough when names fail, for without names a page cannot be
// asked. A vendor who proved who it is proved the way to it as well.
func (o observation) internet() gateway.Answer {
	yes, voted := o.ballot()
	switch {
	case o.shake.verified() && !o.wellAtTop():
		return gateway.Yes
	case voted == 0:
		return gateway.NotKnown
	case yes >= min(2, voted):
		return gateway.Yes
	case o.tally(aName) == gateway.No && o.tally(aDoor) == gateway.Yes && o.tally(aPage) != gateway.No:
		return gateway.Yes
	default:
		return gateway.No
	}
}

// count is the ballot for people: each witness by itself, for those are what they have configured.
func (o observation) count() string {
	yes, voted := 0, 0
	for _, v := range o.votes {
		if v.yes {
			yes++
		}
		if !v.abstain {
			voted++
		}
	}
	switch {
	case voted == 0 && o.shake.verified():
		return "its certificate was verified"
	case voted == 0:
		return "no witness could be asked"
	}
	noun := "witnesses"
	if voted == 1 {
		noun = "witness"
	}
	return fmt.Sprintf("%d of %d %s answered", yes, voted, noun)
}
