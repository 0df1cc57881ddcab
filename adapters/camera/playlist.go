package camera

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Limits of what is taken from a playlist; real ones have four qualities and some segments.
const (
	maxVariants   = 16
	maxSegments   = 256
	longestTarget = time.Minute // of one segment
)

// variant is one quality of a stream, as a master playlist lists it (RFC 8216 4.3.4.2).
type variant struct {
	uri       string
	bandwidth int // bit/s; 0: it does not say
	width     int // pixels; 0: it does not say
}

// segment is one piece of a stream.
type segment struct {
	uri      string
	sequence int64
}

// playlist is what an HLS playlist says: variants if it is a master, else segments.
type playlist struct {
	variants []variant
	segments []segment
	target   time.Duration // the longest segment
	ended    bool          // no segment will follow
}

// readPlaylist reads the part of RFC 8216 that these cameras use: transport stream segments without
// encryption.
func readPlaylist(text []byte) (playlist, error) {
	lines := strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
	if strings.TrimSpace(lines[0]) != "#EXTM3U" {
		return playlist{}, errors.New("its stream has no playlist")
	}
	r := playlistReader{}
	for _, line := range lines[1:] {
		if err := r.read(strings.TrimSpace(line)); err != nil {
			return playlist{}, err
		}
	}
	if len(r.list.variants) == 0 && len(r.list.segments) == 0 && r.list.target == 0 {
		return playlist{}, errors.New("the playlist of its stream is empty")
	}
	return r.list, nil
}

// playlistReader reads line after line.
type playlistReader struct {
	list     playlist
	variant  *variant // of the next address, if it is one of a variant
	sequence int64    // of the next segment
}

func (r *playlistReader) read(line string) error {
	tag, value, _ := strings.Cut(line, ":")
	switch {
	case line == "":
		return nil
	case !strings.HasPrefix(line, "#"):
		return r.address(line)
	case tag == "#EXT-X-STREAM-INF":
		v := readVariant(value)
		r.variant = &v
	case tag == "#EXT-X-TARGETDURATION":
		seconds, err := strconv.ParseFloat(value, 64) // whole seconds, but not by every writer
		if err != nil || !(seconds > 0 && seconds <= longestTarget.Seconds()) {
			return fmt.Errorf("the segments of its stream would last %.20q seconds", value)
		}
		r.list.target = time.Duration(seconds * float64(time.Second))
	case tag == "#EXT-X-MEDIA-SEQUENCE":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 0 || n > 1<<60 {
			return fmt.Errorf("the segments of its stream have no number, but %.20q", value)
		}
		r.sequence = n
	case tag == "#EXT-X-ENDLIST":
		r.list.ended = true
	case tag == "#EXT-X-MAP":
		return errors.New("its stream is fragmented MP4, which is not understood")
	case tag == "#EXT-X-KEY" && !strings.Contains(value, "METHOD=NONE"):
		return errors.New("its stream is encrypted")
	}
	return nil
}

// address takes the line that follows the tags of a variant or segment.
func (r *playlistReader) address(uri string) error {
	if r.variant != nil {
		if len(r.list.variants) >= maxVariants {
			return fmt.Errorf("its stream has more than %d qualities", maxVariants)
		}
		r.variant.uri = uri
		r.list.variants = append(r.list.variants, *r.variant)
		r.variant = nil
		return nil
	}
	if len(r.list.segments) >= maxSegments {
		return fmt.Errorf("its stream has more than %d segments at once", maxSegments)
	}
	r.list.segments = append(r.list.segments, segment{uri, r.sequence})
	r.sequence++
	return nil
}

// readVariant reads the attributes that count; what is not readable counts as not said.
func readVariant(attributes string) variant {
	var v variant
	for attributes != "" {
		var name, value string
		name, attributes, _ = strings.Cut(attributes, "=")
		if quoted, isQuoted := strings.CutPrefix(attributes, `"`); isQuoted {
			value, attributes, _ = strings.Cut(quoted, `"`)
			attributes = strings.TrimPrefix(attributes, ",")
		} else {
			value, attributes, _ = strings.Cut(attributes, ",")
		}
		switch strings.TrimSpace(name) {
		case "BANDWIDTH":
			v.bandwidth, _ = strconv.Atoi(value)
		case "RESOLUTION":
			width, _, _ := strings.Cut(value, "x")
			v.width, _ = strconv.Atoi(width)
		}
	}
	return v
}

// choose returns the quality for a picture of that width in pixels: the smallest that is not smaller,
// else, and for a width of 0, the best. Where widths are not said, bandwidths stand in for them.
func choose(variants []variant, width int) variant {
	best := variants[0]
	for _, v := range variants[1:] {
		if v.betterThan(best) {
			best = v
		}
	}
	chosen := best
	for _, v := range variants {
		if width > 0 && v.enough(width) && chosen.betterThan(v) {
			chosen = v
		}
	}
	return chosen
}

func (v variant) betterThan(other variant) bool {
	if v.width != other.width && v.width > 0 && other.width > 0 {
		return v.width > other.width
	}
	return v.bandwidth > other.bandwidth
}

// bitsPerPixel turns a bandwidth into the width of a picture of 16:9 for which it does: a calm picture of
// 720p wants something below 2 Mbit/s.
const bitsPerPixel = 2

func (v variant) enough(width int) bool {
	if v.width > 0 {
		return v.width >= width
	}
	return v.bandwidth >= width*width*9/16*bitsPerPixel
}

// errAway is a stream that would have us ask somebody else.
var errAway = errors.New("the playlist of its stream leads elsewhere")

// lead turns an address in the playlist at a route into the route that it names. A stream whose
// addresses lead to another host, or out of what the camera's key opens, is refused.
func lead(w way, from, to string) (route string, query url.Values, err error) {
	base := url.URL{Scheme: "http", Host: w.Address.String(), Path: "/" + w.Key + "/" + from}
	target, err := base.Parse(to)
	if err != nil || target.Scheme != "http" || target.User != nil {
		return "", nil, errAway
	}
	if target.Host != base.Host && fmt.Sprint(target.Host, ":", cameraPort) != base.Host {
		return "", nil, errAway
	}
	route, inside := strings.CutPrefix(target.Path, "/"+w.Key+"/")
	if !inside {
		return "", nil, errAway
	}
	if query, err = url.ParseQuery(target.RawQuery); err != nil {
		return "", nil, errAway
	}
	return route, query, nil
}
