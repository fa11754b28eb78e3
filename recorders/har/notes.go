package har

import "github.com/rehearse-dev/rehearse/recorders/internal/departure"

// Departures from the wire that only this format has.
const (
	noteNotBase64  departure.Kind = "bodies: marked as base64 and stored as text; the text was taken"
	noteLatin1     departure.Kind = "bodies: written as Latin-1, one byte for each character"
	noteSurrogate  departure.Kind = "bodies: half a surrogate pair became U+FFFD"
	noteForm       departure.Kind = "requests: the form was rebuilt from its parameters; its spelling may differ from the wire"
	noteMissing    departure.Kind = "messages: the archive does not hold the body; the exchange is incomplete"
	noteCached     departure.Kind = "answers: the body came from a cache and was left out, because such an answer has none"
	noteNoNetwork  departure.Kind = "entries: never crossed a network and were left out"
	noteControl    departure.Kind = "web socket messages: neither text nor binary, and were left out"
	noteUnanswered departure.Kind = "exchanges: the archive holds no answer; the exchange is incomplete"
)
