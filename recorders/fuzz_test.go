package recorders_test

import "testing"

func FuzzHAR(f *testing.F)       { fuzz(f, "har") }
func FuzzGoVCR(f *testing.F)     { fuzz(f, "govcr") }
func FuzzVCR(f *testing.F)       { fuzz(f, "vcr") }
func FuzzVCRPy(f *testing.F)     { fuzz(f, "vcrpy") }
func FuzzPHPVCR(f *testing.F)    { fuzz(f, "phpvcr") }
func FuzzFiles(f *testing.F)     { fuzz(f, "files") }
func FuzzMitmproxy(f *testing.F) { fuzz(f, "mitmproxy") }
func FuzzGoReplay(f *testing.F)  { fuzz(f, "goreplay") }
