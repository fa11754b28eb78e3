package harness_test

import (
	"errors"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestPlaceholdersAreReplacedAndBracesStay(t *testing.T) {
	value := func(name string) (string, error) {
		if !harness.IsPlaceholder(name) {
			return "", errors.New(name)
		}
		return "<" + name + ">", nil
	}
	for _, c := range []struct{ text, want, wrong string }{
		{"--listen={listen}", "--listen=<listen>", ""},
		{"{url.sis-test}/v1 {now}", "<url.sis-test>/v1 <now>", ""},
		{`{"a":1} { print } ${HOME} {} {A}`, `{"a":1} { print } ${HOME} {} {A}`, ""},
		{"{{print}} {{listen}}", "{print} {listen}", ""},
		{"{prot}", "", "prot"},
		{"{url}", "", "url"},
		{"{url.}", "", "url."},
		{"{listen.sis}", "", "listen.sis"},
	} {
		got, err := harness.ReplacePlaceholders(c.text, value)
		if c.wrong != "" && (err == nil || err.Error() != c.wrong) || c.wrong == "" && (err != nil || got != c.want) {
			t.Errorf("%s: %q, %v", c.text, got, err)
		}
	}
}

func TestEscapedPlaceholdersAreTheTextItself(t *testing.T) {
	for _, text := range []string{"{listen}", "{{listen}}", "{{{url.sis}}}", "{now}}", "{{now}", "{prot} {a:1} $5 {}", ""} {
		got, err := harness.ReplacePlaceholders(harness.EscapePlaceholders(text), func(name string) (string, error) { return "", errors.New(name) })
		if err != nil || got != text {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}
