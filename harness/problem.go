package harness

import (
	"errors"
	"io/fs"
)

// Class sorts errors by what the caller can do; the command turns it into its exit code.
type Class int

// Classes of errors. An error without a class is ClassUsage: it is about what was asked or about a file.
const (
	ClassUsage        Class = iota // wrong arguments, or a file that cannot be read or understood
	ClassCannotRun                 // target, network or container did not come up
	ClassRefused                   // policy: unmasked data, egress, production
	ClassInconclusive              // a precondition failed, or there was too little to judge
)

// Problem is an error with a class and with the next step for the person who reads it.
type Problem struct {
	Class Class
	Err   error
	Hint  string // one sentence, without "hint:"; may be empty
}

// Error is the text of the cause, without the hint.
func (p *Problem) Error() string { return p.Err.Error() }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// Usage marks err as a matter of arguments or files.
func Usage(err error, hint string) error { return &Problem{ClassUsage, err, hint} }

// CannotRun marks err as a matter of targets, networks or processes.
func CannotRun(err error, hint string) error { return &Problem{ClassCannotRun, err, hint} }

// Refused marks err as forbidden by policy.
func Refused(err error, hint string) error { return &Problem{ClassRefused, err, hint} }

// Inconclusive marks err as an outcome that proves nothing.
func Inconclusive(err error, hint string) error { return &Problem{ClassInconclusive, err, hint} }

// ClassOf returns the class of the outermost Problem in err's chain.
func ClassOf(err error) Class {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p.Class
	}
	return ClassUsage
}

// HintOf returns the first hint in err's chain, or the empty string.
func HintOf(err error) string {
	for err != nil {
		p, ok := errors.AsType[*Problem](err)
		if !ok {
			return ""
		}
		if p.Hint != "" {
			return p.Hint
		}
		err = p.Err
	}
	return ""
}

// WithoutPath is the cause of an error about a file, for messages that name the file themselves.
func WithoutPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
