package recorders_test

import "testing"

func FuzzHAR(f *testing.F)       { fuzz(f, "har") }
func FuzzGoVCR(f *testing.F)     { fuzz(f, "govcr") }
func FuzzVCR(f *testing.F)       { fuzz(f, "vcr") }
func FuzzVCRPy(f *testing.F)     { fuzz(f, "vcrpy") }
func FuzzPHPVCR(f *testing.F)    { fuzz(f, "phpvcr") }
func FuzzMitmproxy(f *testing.F) { fuzz(f, "mitmproxy") }
func FuzzGoReplay(f *testing.F)  { fuzz(f, "goreplay") }
func FuzzWireMock(f *testing.F)  { fuzz(f, "wiremock") }
func FuzzHoverfly(f *testing.F)  { fuzz(f, "hoverfly") }
func FuzzEndpoints(f *testing.F) { fuzz(f, "endpoints") }
func FuzzURLPaths(f *testing.F)  { fuzz(f, "urlpaths") }
func FuzzPostman(f *testing.F)   { fuzz(f, "postman") }
func FuzzOpenAPI(f *testing.F)   { fuzz(f, "openapi") }
func FuzzFiles(f *testing.F)     { fuzz(f, "files") }
func FuzzAccessLog(f *testing.F) { fuzz(f, "accesslog") }
func FuzzCurl(f *testing.F)      { fuzz(f, "curl") }
func FuzzPcap(f *testing.F)      { fuzz(f, "pcap") }
