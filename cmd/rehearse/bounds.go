package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"
)

// bounded is the value of a flag that is refused where it is read when it makes no sense, so that it never silently means
// something else.
type bounded struct {
	pflag.Value
	check func() error
}

func (b bounded) Set(text string) error {
	if err := b.Value.Set(text); err != nil {
		return err
	}
	return b.check()
}

// atLeast bounds the number that a flag of the set gives. A default below the bound says that the flag was not given.
func atLeast[T int | int64](set *pflag.FlagSet, name string, value *T, least T) {
	bound(set, name, func() error {
		if *value < least {
			return fmt.Errorf("write %d or more", least)
		}
		return nil
	})
}

// aboveZero bounds the time that a flag of the set gives, in the same way.
func aboveZero(set *pflag.FlagSet, name string, value *time.Duration) {
	bound(set, name, func() error {
		if *value <= 0 {
			return errors.New("write a time above zero, such as 30s")
		}
		return nil
	})
}

func bound(set *pflag.FlagSet, name string, check func() error) {
	f := set.Lookup(name)
	f.Value = bounded{f.Value, check}
	if f.DefValue == "0s" {
		f.DefValue = "0" // which the help takes for none of any value
	}
}
