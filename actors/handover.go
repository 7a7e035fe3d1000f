package actors

// hold has the mailbox count as running before its actor is spawned: nothing that is posted schedules it until proceed is
// called, once.
func (m *Mailbox) hold() { m.status.Store(running) }

// PostLast is PostUserMessage for a goroutine that has nothing else to do: if the actor is at rest, it runs there, with all that
// comes of the message, and no other goroutine is started.
func (m *Mailbox) PostLast(message any) {
	m.mu.Lock()
	m.user.push(message)
	m.mu.Unlock()
	m.waiting.Add(1)
	if m.status.CompareAndSwap(resting, running) {
		m.proceed()
	}
}

// proceed runs the mailbox, which the caller has made running, on the caller's goroutine until it is at rest. If that goroutine
// is ended by runtime.Goexit, another one goes on.
func (m *Mailbox) proceed() {
	left := false
	defer func() {
		if !left {
			m.dispatcher.Schedule(m.process)
		}
	}()
	m.process()
	left = true
}

// tryEnd handles a system message on the caller's goroutine, if the actor is at rest and no other one waits. That user messages
// wait, or that the actor is suspended, is no matter: system messages do not mind either.
func (m *Mailbox) tryEnd(message any) bool {
	if !m.status.CompareAndSwap(resting, running) {
		return false
	}
	if m.urgent.Load() > 0 {
		m.leave()
		return false
	}
	m.runHere(message, true)
	return true
}
