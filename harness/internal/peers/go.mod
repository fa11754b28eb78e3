module github.com/rehearse-dev/rehearse/harness/internal/peers

go 1.26.0

replace github.com/rehearse-dev/rehearse => ../../..

require (
	github.com/aswinkarthik/csvdiff v1.4.0
	github.com/josephburnett/jd/v2 v2.5.0
	github.com/rehearse-dev/rehearse v0.0.0
	github.com/wI2L/jsondiff v0.7.1
	github.com/yudai/gojsondiff v1.0.0
)

require (
	github.com/andybalholm/brotli v1.2.8 // indirect
	github.com/cespare/xxhash v1.1.0 // indirect
	github.com/goccy/go-yaml v1.19.2 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/nxadm/tail v1.4.11 // indirect
	github.com/sergi/go-diff v1.4.0 // indirect
	github.com/tidwall/gjson v1.18.0 // indirect
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.2.1 // indirect
	github.com/tidwall/sjson v1.2.5 // indirect
	github.com/yudai/golcs v0.0.0-20170316035057-ecda9a501e82 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)
