package bletest

// Faults are ways in which real accessories fail. The zero value is a healthy one.
type Faults struct {
	Refuse   int  // so many attempts to connect are aborted first: a sleeping device missed them
	Silent   bool // it does not advertise
	DropPDU  int  // the connection is lost at so many writes from now on; 0: never
	Mute     bool // it takes requests and never answers
	Garbage  bool // it answers with bytes that make no sense
	Unsealed bool // it seals with the wrong key
}

// Break makes the accessory fail so from now on; the zero Faults mend it.
func (a *Accessory) Break(f Faults) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = f
}

// Cut ends the connection there is.
func (a *Accessory) Cut() {
	a.mu.Lock()
	l := a.link
	a.mu.Unlock()
	if l != nil {
		l.Close()
	}
}
