module github.com/rehearse-dev/rehearse

go 1.26
