//go:build model

package model

// Guard is something in the code that a property depends on.
type Guard uint8

// The guards, and what the code does without each.
const (
	BeginSwaps         Guard = iota // Burst.begin stores
	HandledSwaps                    // Burst.handled stores
	SeizeSwaps                      // Burst.seize stores
	Epoch                           // Burst.recycle leaves the epoch of the cursor as it is
	DetachingPhase                  // router.detach says detached at once, and then takes the others away
	WaitsWhileDetached              // Burst.handled gives up when the cursor says detaching
	GoesOnAfterRelief               // Burst.handled gives up when router.relieve has put the cursor back meanwhile
	DetachByAnswered                // connection.detach takes k for the number of replies
	AloneEnds                       // run.next goes on although the requests behind were taken away
	DetachEmpties                   // connection.detach leaves the burst the replies that it has sent
	MarkCuts                        // run.crashed leaves what a crash in encoding had appended
	KeptWhenDetached                // connection.detach does not set kept
	KeptWhenCrashed                 // run.crashed does not set kept
	OnlyDoneRecycles                // Burst.recycle does not ask whether the burst is done
	CompleteFirst                   // router.reject recycles before it completes
	RejectTakesOver                 // router.reject begins the burst as a worker would
	LateTakesOver                   // router.expireQueue does so
	SplitLooks                      // connection.split does not ask whose the segment is
	RetryByAnswered                 // connection.retry takes k for the number of replies
	PushThenLook                    // router.enqueue looks for an idle worker before it pushes
	OfferThenLook                   // slot.offer does not look at the queue
	SealedRefuses                   // connection.arrive does not ask for sealed
	ClosedRefuses                   // connection.arrive does not ask for closed
	WokenFirst                      // session.onReplied clears woken after it has looked at the window
	RefusedIsNotInline              // router.submit leaves inline set when TryRun did not run the burst
	GoexitIsNotInline               // run.crashed leaves inline set when the reader's goroutine ends
	ExpiredIsNotInline              // router.expire leaves inline set
	ReaderEpoch                     // a reader that was replaced goes on
	ExpiresWhatItSaw                // router.expire seizes whatever it finds, also where router.detach has come too late
	LooksAgain                      // router.sweep does not ask whether the worker still serves what it has read the cursor of

	// The code asks these too, but does not depend on it: who completes a burst has won it by compare-and-swap.
	CompleteLooks  // connection.complete does not ask whose the segment is
	CompleteClosed // connection.complete does not ask for closed
	RetryLooks     // connection.retry does not ask whose the segment is

	numGuards
)

var guardNames = [numGuards]string{
	"BeginSwaps", "HandledSwaps", "SeizeSwaps", "Epoch", "DetachingPhase", "WaitsWhileDetached", "GoesOnAfterRelief", "DetachByAnswered", "AloneEnds", "DetachEmpties",
	"MarkCuts", "KeptWhenDetached", "KeptWhenCrashed", "OnlyDoneRecycles", "CompleteFirst", "RejectTakesOver", "LateTakesOver",
	"SplitLooks", "RetryByAnswered", "PushThenLook", "OfferThenLook", "SealedRefuses", "ClosedRefuses", "WokenFirst", "RefusedIsNotInline",
	"GoexitIsNotInline", "ExpiredIsNotInline", "ReaderEpoch", "ExpiresWhatItSaw", "LooksAgain", "CompleteLooks", "CompleteClosed", "RetryLooks",
}

func (g Guard) String() string { return guardNames[g] }

// Needed returns the guards without which a property is violated.
func Needed() []Guard { return between(0, CompleteLooks) }

// Spare returns the guards that could be left out.
func Spare() []Guard { return between(CompleteLooks, numGuards) }

func between(from, to Guard) (all []Guard) {
	for g := from; g < to; g++ {
		all = append(all, g)
	}
	return all
}
