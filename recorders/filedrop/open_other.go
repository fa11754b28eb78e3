//go:build !unix

package filedrop

import "os"

const openFlags = os.O_RDONLY
