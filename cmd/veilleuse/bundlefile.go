package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"strings"
	"time"
)

// tarBlock is the unit of a tar file, in bytes.
const tarBlock = 512

// tarOf packs the parts as a tar file under gzip. A header is short enough to be written by hand (POSIX.1-1988, ustar);
// archive/tar would be a four hundredth of the whole program.
func tarOf(parts []bundlePart, now time.Time) ([]byte, error) {
	var out bytes.Buffer
	packed := gzip.NewWriter(&out)
	var err error
	for _, p := range parts {
		text := p.text
		if len(text) > mostPart {
			text = text[:mostPart] + "\n[cut off here]\n"
		}
		padding := make([]byte, (tarBlock-len(text)%tarBlock)%tarBlock)
		for _, piece := range [][]byte{tarHeader("veilleuse-bundle/"+p.name, len(text), now), []byte(text), padding} {
			_, wrong := packed.Write(piece)
			err = errors.Join(err, wrong)
		}
	}
	_, wrong := packed.Write(make([]byte, 2*tarBlock))
	err = errors.Join(err, wrong, packed.Close())
	return out.Bytes(), err
}

// tarHeader is the header of a plain file that its owner alone can read.
func tarHeader(name string, size int, at time.Time) []byte {
	header := make([]byte, tarBlock)
	copy(header, name)
	copy(header[100:], fmt.Sprintf("%07o\x00%07o\x00%07o\x00%011o\x00%011o\x00%s0", 0o600, 0, 0, size, max(at.Unix(), 0), strings.Repeat(" ", 8)))
	copy(header[257:], "ustar\x0000")
	sum := 0
	for _, b := range header {
		sum += int(b)
	}
	copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
	return header
}
