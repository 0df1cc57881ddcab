package hap

// Listeners returns how many controllers get the events of a characteristic: those that have been sent what it
// shows now, and those to whom the last of it has not left yet. A controller with several connections counts once.
func (s *Server) Listeners(id CharacteristicID) (told, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := map[string]bool{}
	for c := range s.connections {
		if c.controller != "" && c.queue.isSubscribed(id) {
			got[c.controller] = got[c.controller] || !c.queue.holds(id)
		}
	}
	for _, all := range got {
		if all {
			told++
		} else {
			waiting++
		}
	}
	return told, waiting
}

// holds reports whether a value of that characteristic waits to be sent.
func (q *eventQueue) holds(id CharacteristicID) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, urgent := q.urgent.newest[id]
	_, ordinary := q.ordinary.newest[id]
	return urgent || ordinary
}
