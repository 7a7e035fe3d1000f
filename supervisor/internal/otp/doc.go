// Package otp is a small model of the rules by which OTP's supervisor works, to judge package supervisor by: it says what must be
// observed of a tree of supervisors when something happens to it. It knows processes, mailboxes and a clock, but no actor and no
// goroutine.
//
// The model is judged in turn by traces recorded from a real OTP 25 supervisor, in supervisor/testdata/otp, which it replays event for
// event.
//
// # The rules
//
// They are those of the stdlib manual page supervisor(3), cited by section, and of the OTP Design Principles, "Supervisor Behaviour".
// Where both are silent the recordings decide; such rules are marked with *.
//
// Start and stop ("Supervision Principles"; "Starting a Supervisor", "Stopping"). Children start in order, each before the next. If
// one of them fails, those before it are stopped and the supervisor fails to start. They are stopped in reverse order, whatever the
// reason, each with its own shutdown time, or at once with brutal_kill. How a child ends while it is being stopped changes nothing*.
//
// Ends (type restart(); "Child Specification"). A permanent child is always restarted, a transient one if its reason was neither
// normal nor shutdown nor {shutdown,…}, a temporary one never. Of a temporary child the specification goes too; of the others it
// stays.
//
// Strategies ("Restart Strategy"). one_for_one restarts the child; one_for_all stops all others and starts all; rest_for_one those
// after it in start order. Temporary children that are stopped because of a sibling are not started again, and their specifications go
// ("Supervision Principles"). The others of the group are all started, also those that had ended or been terminated before*.
// simple_one_for_one is one_for_one for children of one specification, added and forgotten at run time, without order; it stops all at
// once.
//
// Budget ("Tuning the Intensity and Period", "Maximum Restart Intensity"). If more than intensity restarts lie within period, the
// supervisor drops the child at hand, stops the others and ends with shutdown. One budget for all children; a restart of a group costs
// one. Time is counted in whole seconds, and a restart exactly one period back counts*. Ends that restart nobody cost nothing, and
// neither do calls*.
//
// Restarts that fail ("Maximum Restart Intensity"). A child that fails to start in a restart is tried again: the supervisor sends
// itself a message, so that it still hears of other things in between*; each try costs one, and applies the strategy to the child that
// failed, not to the one that ended first*. Until then those of the group before it run, and those after it wait*. If it is terminated
// or started by something else in the meantime, nothing is tried again*.
//
// Automatic shutdown ("Automatic Shutdown"). If a significant child ends by itself and is not restarted, any_significant ends the
// supervisor with shutdown, and all_significant does if no other significant child is running or being restarted. Neither the end of a
// child that its supervisor stopped counts, nor terminate_child.
//
// Calls (functions start_child/2, terminate_child/2, restart_child/2, delete_child/2, which_children/1). See call.go, a function each.
//
// Nested supervisors (Design Principles, "Overview"). To its supervisor a supervisor is a child: one that has spent its budget, or shut down
// automatically, has ended with shutdown, so that a permanent one is restarted and a transient one is not. It comes back with its
// first children and a new budget. While it starts, a child that fails fails it, and that try is its parent's.
//
// # What is not covered
//
// Start functions that return ignore; supervisors below simple_one_for_one; supervisors killed from outside, or by a parent that does
// not wait for them, whose children die in no defined order; hibernation, code change, get_childspec and count_children.
package otp
