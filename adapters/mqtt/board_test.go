package mqtt

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/gateway"
)

// drain takes everything off the board, one "topic=text" each.
func drain(b *board) (all []string) {
	for {
		m, ok := b.next("event")
		if !ok {
			return all
		}
		all = append(all, m.topic+"="+string(m.text))
	}
}

func expect(t *testing.T, b *board, want string) {
	t.Helper()
	if got := strings.Join(drain(b), " "); got != want {
		t.Errorf("the board sends %q, want %q", got, want)
	}
}

func TestBoardSendsOnlyWhatIsNew(t *testing.T) {
	b := newBoard()
	p, q := b.page("p"), b.page("q")
	b.write(p, []byte("1"))
	b.write(q, []byte("1"))
	b.write(p, []byte("2"))
	expect(t, b, "p=2 q=1")
	b.write(p, []byte("2"))
	expect(t, b, "")
	b.write(p, []byte("3"))
	expect(t, b, "p=3")
}

func TestBoardKeepsItsOwnCopy(t *testing.T) {
	b := newBoard()
	buffer := []byte("1")
	b.write(b.page("p"), buffer)
	buffer[0] = 'x'
	expect(t, b, "p=1")
}

func TestBoardSendsAgainWhatDidNotArrive(t *testing.T) {
	b := newBoard()
	p := b.page("p")
	b.write(p, []byte("1"))
	m, _ := b.next("event")
	b.putBack(m)
	expect(t, b, "p=1")

	b.write(p, []byte("2"))
	m, _ = b.next("event")
	b.write(p, []byte("3")) // while the other is under way
	b.putBack(m)
	expect(t, b, "p=3")
}

func TestBoardSendsAllWithTheStatusLast(t *testing.T) {
	b := newBoard()
	status := b.page("status")
	status.text = []byte("online")
	for _, topic := range []string{"a", "b", "c"} {
		b.write(b.page(topic), []byte("1"))
	}
	b.page("never written")
	for range 2 { // also when they wait already
		b.postAll(status)
	}
	expect(t, b, "a=1 b=1 c=1 status=online")
	b.postAll(status)
	expect(t, b, "a=1 b=1 c=1 status=online")
}

func TestBoardClearsPages(t *testing.T) {
	b := newBoard()
	status := b.page("status")
	status.text = []byte("online")
	p := b.page("p")
	b.write(p, []byte("1"))
	drain(b)

	b.clear(p)
	b.postAll(status) // a new connection does not forget it
	expect(t, b, "p= status=online")
	b.postAll(status)
	expect(t, b, "status=online")
}

func TestBoardDoesNotClearWhatIsThereAgain(t *testing.T) {
	b := newBoard()
	old := b.page("p")
	b.write(old, []byte("1"))
	drain(b)

	b.clear(old)
	b.write(b.page("p"), []byte("2"))
	expect(t, b, "p=2")

	b.clear(b.page("p"))
	m, _ := b.next("event")
	b.write(b.page("p"), []byte("3"))
	b.putBack(m) // the clearing has failed, and is out of date now
	expect(t, b, "p=3")
}

func TestBoardKeepsEventsInOrderAndFew(t *testing.T) {
	b := newBoard()
	b.tell([]byte("1"))
	b.write(b.page("p"), []byte("1"))
	b.tell([]byte("2"))
	m, _ := b.next("event")
	if m.topic != "p" || !m.retain {
		t.Errorf("first comes %v, want the page", m)
	}
	m, _ = b.next("event")
	if m.retain {
		t.Error("an event must not be retained")
	}
	b.putBack(m)
	expect(t, b, "event=1 event=2")

	for i := range 3 * gateway.MaxDecisions {
		b.tell(fmt.Append(nil, i))
	}
	got := drain(b)
	if len(got) != gateway.MaxDecisions || got[0] != fmt.Sprint("event=", 2*gateway.MaxDecisions) || !slices.IsSorted(got) {
		t.Errorf("%d events are kept: %v", len(got), got)
	}
}
