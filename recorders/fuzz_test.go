package recorders_test

import "testing"

func FuzzHAR(f *testing.F)   { fuzz(f, "har") }
func FuzzGoVCR(f *testing.F) { fuzz(f, "govcr") }
func FuzzFiles(f *testing.F) { fuzz(f, "files") }
