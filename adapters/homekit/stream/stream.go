// Package stream sends the H.264 pictures of a camera to a viewer of the Home app, by SRTP, as HomeKit's
// Camera RTP Stream Management negotiates it (HAP R14 11; the numbers are those of hap-nodejs'
// RTPStreamManagement).
//
// The pictures are sent as the camera made them. Sound is negotiated, because controllers insist on it, and
// never sent: Netatmo's cameras have AAC-LC, which the Home app does not take.
//
// The payloads are read and written by the TLV8 of adapters/hap: the rtp package of github.com/brutella/hap
// takes the tag of the packet size for one of sound.
package stream

import (
	"encoding/binary"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// Answers to SetupEndpoints.
const (
	statusDone  = 0
	statusBusy  = 1
	statusError = 2
)

// The one cryptographic suite: AES_CM_128_HMAC_SHA1_80.
const (
	suite    = 0
	keySize  = 16 // bytes
	saltSize = 14 // bytes
)

// Streaming is the value of StreamingStatus.
func Streaming(inUse bool) []byte {
	const available, used = 0, 1
	if inUse {
		return hap.TLV{{Tag: 1, Value: []byte{used}}}.Encode()
	}
	return hap.TLV{{Tag: 1, Value: []byte{available}}}.Encode()
}

// NoEndpoints is the value of SetupEndpoints for who has negotiated nothing.
func NoEndpoints() []byte { return hap.TLV{{Tag: 2, Value: []byte{statusError}}}.Encode() }

// sizes are the pictures that are offered, the best first: those of the qualities of Netatmo's cameras and
// the smallest that a watch asks for. Whatever is chosen, the nearest quality of the camera is sent.
var sizes = []struct{ width, height, perSecond uint16 }{{1920, 1080, 30}, {1280, 720, 30}, {640, 360, 30}, {480, 270, 30}, {320, 240, 15}}

// SupportedVideo is what can be sent: H.264 of any profile and level that HomeKit knows, for the camera
// decides on them.
func SupportedVideo() []byte {
	const baseline, main, high = 0, 1, 2
	const level31, level32, level40 = 0, 1, 2
	const h264, nonInterleaved = 0, 0
	parameters := list(1, []byte{baseline}, []byte{main}, []byte{high})
	parameters = append(parameters, list(2, []byte{level31}, []byte{level32}, []byte{level40})...)
	parameters = append(parameters, hap.Item{Tag: 3, Value: []byte{nonInterleaved}})
	var attributes [][]byte
	for _, s := range sizes {
		attributes = append(attributes, hap.TLV{{Tag: 1, Value: number(s.width)}, {Tag: 2, Value: number(s.height)}, {Tag: 3, Value: []byte{byte(s.perSecond)}}}.Encode())
	}
	codec := append(hap.TLV{{Tag: 1, Value: []byte{h264}}, {Tag: 2, Value: parameters.Encode()}}, list(3, attributes...)...)
	return hap.TLV{{Tag: 1, Value: codec.Encode()}}.Encode()
}

// SupportedAudio is one kind of sound, without which no controller negotiates a stream; hap-nodejs offers
// the same for cameras without a microphone.
func SupportedAudio() []byte {
	const opus, mono, variable, rate16, rate24 = 3, 1, 0, 1, 2
	parameters := append(hap.TLV{{Tag: 1, Value: []byte{mono}}, {Tag: 2, Value: []byte{variable}}}, list(3, []byte{rate16}, []byte{rate24})...)
	codec := hap.TLV{{Tag: 1, Value: []byte{opus}}, {Tag: 2, Value: parameters.Encode()}}
	return hap.TLV{{Tag: 1, Value: codec.Encode()}, {Tag: 2, Value: []byte{0}}}.Encode() // 0: no comfort noise
}

// SupportedRTP is the one cryptographic suite.
func SupportedRTP() []byte { return hap.TLV{{Tag: 2, Value: []byte{suite}}}.Encode() }

// list is several items of one tag, with what keeps them apart in HomeKit's cameras: an empty item of tag 0.
func list(tag hap.Tag, values ...[]byte) hap.TLV {
	var out hap.TLV
	for i, value := range values {
		if i > 0 {
			out = append(out, hap.Item{Tag: 0})
		}
		out = append(out, hap.Item{Tag: tag, Value: value})
	}
	return out
}

func number(n uint16) []byte { return binary.LittleEndian.AppendUint16(nil, n) }
