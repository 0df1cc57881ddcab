package cameratest

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// The qualities of live and recorded video, with a bandwidth in bit/s.
var qualities = []struct {
	name      string
	bandwidth int
}{{"high", 2_000_000}, {"medium", 1_000_000}, {"low", 500_000}, {"poor", 250_000}}

const playlistType = "application/vnd.apple.mpegurl"

// master lists the qualities of the live stream.
func (c *Camera) master(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", playlistType)
	fmt.Fprintln(w, "#EXTM3U")
	for _, q := range qualities {
		fmt.Fprintf(w, "#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH=%d\nfiles/%s/index.m3u8\n", q.bandwidth, q.name)
	}
}

// serveStream answers live/files/<quality>/..., vod/<id>/index.m3u8 and vod/<id>/files/<quality>/....
// Without a film the segments are whole transport stream packets without pictures in them.
func (c *Camera) serveStream(w http.ResponseWriter, route string) {
	parts := strings.Split(route, "/")
	if parts[0] == "vod" && len(parts) == 3 && parts[2] == "index.m3u8" {
		c.master(w, nil)
		return
	}
	if parts[0] == "vod" && len(parts) > 1 {
		parts = append(parts[:1], parts[2:]...)
	}
	if len(parts) != 4 || parts[1] != "files" || !isQuality(parts[2]) {
		errorPage(w, http.StatusNotFound)
		return
	}
	switch {
	case parts[0] == "live" && len(c.setup.Film.Segments) > 0:
		c.serveFilm(w, parts[3])
	case parts[3] == "index.m3u8":
		w.Header().Set("Content-Type", playlistType)
		fmt.Fprint(w, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n")
		for n := range 3 {
			fmt.Fprintf(w, "#EXTINF:2.0,\nsegment%d.ts\n", n)
		}
	case strings.HasSuffix(parts[3], ".ts"):
		w.Header().Set("Content-Type", "video/mp2t")
		empty := append([]byte{0x47, 0x1f, 0xff, 0x10}, bytes.Repeat([]byte{0xff}, 184)...)
		w.Write(bytes.Repeat(empty, 50))
	default:
		errorPage(w, http.StatusNotFound)
	}
}

func isQuality(name string) bool {
	for _, q := range qualities {
		if q.name == name {
			return true
		}
	}
	return false
}
