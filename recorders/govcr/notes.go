package govcr

import "github.com/rehearse-dev/rehearse/recorders/internal/departure"

// Departures from the wire that only this format has.
const (
	noteForm departure.Kind = "requests: the body was rebuilt from the form; its spelling and order may differ from the wire"
	noteTime departure.Kind = "exchanges: the file holds no time; that of the exchange before was taken"
)
