package camera

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestReadPlaylist(t *testing.T) {
	master, err := readPlaylist([]byte("#EXTM3U\r\n#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH=2000000,CODECS=\"avc1.42e01f,mp4a.40.2\",RESOLUTION=1280x720\r\nfiles/high/index.m3u8\r\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=x\n\nfiles/poor/index.m3u8\n"))
	if err != nil || len(master.variants) != 2 {
		t.Fatal(master, err)
	}
	if got, want := master.variants[0], (variant{"files/high/index.m3u8", 2000000, 1280}); got != want {
		t.Errorf("%+v", got)
	}
	if got, want := master.variants[1], (variant{uri: "files/poor/index.m3u8"}); got != want {
		t.Errorf("%+v", got)
	}
	media, err := readPlaylist([]byte("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:41\n#EXT-X-KEY:METHOD=NONE\n" +
		"#EXTINF:2.0,\na.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:1.5,title\nb.ts?x=1\n#EXT-X-ENDLIST"))
	if err != nil || media.target != 2*time.Second || !media.ended || len(media.segments) != 2 {
		t.Fatal(media, err)
	}
	if media.segments[0] != (segment{"a.ts", 41}) || media.segments[1] != (segment{"b.ts?x=1", 42}) {
		t.Errorf("%+v", media.segments)
	}
}

func TestReadPlaylistRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":         {"", "no playlist"},
		"a web page":      {"<html></html>", "no playlist"},
		"empty":           {"#EXTM3U\n", "empty"},
		"MP4":             {"#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n", "MP4"},
		"encrypted":       {"#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n", "encrypted"},
		"endless segment": {"#EXTM3U\n#EXT-X-TARGETDURATION:1e99\n", "seconds"},
		"no time":         {"#EXTM3U\n#EXT-X-TARGETDURATION:NaN\n", "seconds"},
		"negative number": {"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:-1\n", "number"},
		"many segments":   {"#EXTM3U\n" + strings.Repeat("a.ts\n", maxSegments+1), "segments at once"},
		"many qualities":  {"#EXTM3U\n" + strings.Repeat("#EXT-X-STREAM-INF:\na\n", maxVariants+1), "qualities"},
	} {
		if _, err := readPlaylist([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChoose(t *testing.T) {
	sized := []variant{{"l", 500, 640}, {"h", 2000, 1920}, {"p", 250, 320}, {"m", 1000, 1280}}
	dumb := []variant{{"h", 2_000_000, 0}, {"m", 1_000_000, 0}, {"l", 500_000, 0}, {"p", 250_000, 0}}
	for _, c := range []struct {
		from  []variant
		width int
		want  string
	}{
		{sized, 1920, "h"}, {sized, 1280, "m"}, {sized, 1000, "m"}, {sized, 640, "l"}, {sized, 320, "p"}, {sized, 4000, "h"}, {sized, 0, "h"},
		{dumb, 1920, "h"}, {dumb, 1280, "h"}, {dumb, 640, "l"}, {dumb, 320, "p"},
		{[]variant{{"only", 0, 0}}, 1280, "only"},
	} {
		if got := choose(c.from, c.width); got.uri != c.want {
			t.Errorf("width %d of %v: %s, want %s", c.width, c.from, got.uri, c.want)
		}
	}
}

// Whatever a playlist says, nobody but the camera is asked, and nothing but what its key opens.
func TestLead(t *testing.T) {
	w := way{netip.MustParseAddrPort("192.168.0.123:80"), "5d278460699e"}
	for to, want := range map[string]string{
		"files/high/index.m3u8":                       "live/files/high/index.m3u8",
		"/5d278460699e/live/x.ts":                     "live/x.ts",
		"../vod/x.ts?a=1":                             "vod/x.ts",
		"http://192.168.0.123/5d278460699e/live/x.ts": "live/x.ts",
		"http://192.168.0.123:80/5d278460699e/x.ts":   "x.ts",
		"http://192.168.0.124/5d278460699e/x.ts":      "",
		"http://192.168.0.123:81/5d278460699e/x.ts":   "",
		"https://192.168.0.123/5d278460699e/x.ts":     "",
		"//evil.example/5d278460699e/x.ts":            "",
		"http://u:p@192.168.0.123/5d278460699e/x.ts":  "",
		"../../other/x.ts":                            "",
		"/admin":                                      "",
		"file:///etc/passwd":                          "",
		"%zz":                                         "",
		"x.ts?%zz":                                    "",
	} {
		route, _, err := lead(w, "live/index.m3u8", to)
		if route != want || (err == nil) != (want != "") {
			t.Errorf("%s leads to %q, %v", to, route, err)
		}
		if err != nil && strings.Contains(err.Error(), w.Key) {
			t.Errorf("the key is told: %v", err)
		}
	}
}

func FuzzReadPlaylist(f *testing.F) {
	f.Add("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"a,b\",RESOLUTION=1x2\nfiles/high/index.m3u8\n")
	f.Add("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:2,\nhttp://h/k/a.ts\n")
	w := way{netip.MustParseAddrPort("10.0.0.9:80"), "abcd1234"}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := readPlaylist([]byte(text))
		if err != nil {
			return
		}
		if len(list.segments) > maxSegments || len(list.variants) > maxVariants || list.target < 0 || list.target > longestTarget {
			t.Errorf("%+v", list)
		}
		for _, s := range list.segments {
			if route, _, err := lead(w, "live/index.m3u8", s.uri); err == nil && strings.HasPrefix(route, "/..") {
				t.Errorf("%q leads out", s.uri)
			}
		}
		if len(list.variants) > 0 {
			choose(list.variants, 1280)
		}
	})
}
