// Package images builds what tests put into containers: static programs of this module in images FROM scratch. Only tests
// import it.
package images
