package camera

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/url"
)

// The routes under http://<address>/<key>/ (netatmo-facts 4.2).
const (
	pingRoute          = "command/ping"
	monitoringRoute    = "command/changestatus"
	readLightRoute     = "command/floodlight_get_config"
	writeLightRoute    = "command/floodlight_set_config"
	pictureRoute       = "live/snapshot_720.jpg"
	smallestPicture    = 64 // bytes
	startOfJPEG        = "\xff\xd8\xff"
	endOfJPEG          = "\xff\xd9"
	lightOn, lightOff  = "on", "off"
	lightAuto          = "auto"
	monitorOn, stopped = "on", "off"
)

// identity is what a camera says of itself.
type identity struct {
	LocalURL string `json:"local_url"`
	Product  string `json:"product_name"`
}

// ping asks a camera who it is.
func (c client) ping(ctx context.Context, to way) (identity, error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	a, err := c.get(ctx, to, pingRoute, nil, maxAnswer)
	if err != nil {
		return identity{}, err
	}
	return readIdentity(a)
}

func readIdentity(a answer) (identity, error) {
	var id identity
	if err := readAnswer(a, &id); err != nil {
		return identity{}, err
	}
	if id.LocalURL == "" {
		return identity{}, errOther
	}
	id.Product = printable(id.Product)
	return id, nil
}

// setMonitoring starts or stops monitoring. That it is so already is success.
func (c client) setMonitoring(ctx context.Context, to way, on bool) error {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	status := stopped
	if on {
		status = monitorOn
	}
	a, err := c.get(ctx, to, monitoringRoute, url.Values{"status": {status}}, maxAnswer)
	if err != nil {
		return err
	}
	err = readAnswer(a, nil)
	if refused := (refusal{}); errors.As(err, &refused) && refused.code == alreadySo {
		return nil
	}
	return err
}

// light is a floodlight's settings, of which we know the mode. The rest is kept as it came: newer
// firmware replaces all of it with what is written.
type light map[string]json.RawMessage

func readLight(a answer) (light, error) {
	var l light
	if err := readAnswer(a, &l); err != nil {
		return nil, err
	}
	if l.mode() == "" {
		return nil, errors.New("its floodlight has no mode")
	}
	return l, nil
}

// mode returns on, off or auto; "" if it is none of them.
func (l light) mode() string {
	var mode string
	if json.Unmarshal(l["mode"], &mode) != nil || !isLightMode(mode) {
		return ""
	}
	return mode
}

func isLightMode(word string) bool {
	return word == lightOn || word == lightOff || word == lightAuto
}

// with returns the settings in another mode.
func (l light) with(mode string) (string, error) {
	l["mode"] = json.RawMessage(`"` + mode + `"`)
	text, err := json.Marshal(l)
	return string(text), err
}

func (c client) light(ctx context.Context, to way) (light, error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	a, err := c.get(ctx, to, readLightRoute, nil, maxAnswer)
	if err != nil {
		return nil, err
	}
	return readLight(a)
}

// setLight puts the floodlight in a mode and leaves its other settings as they are.
func (c client) setLight(ctx context.Context, to way, mode string) error {
	now, err := c.light(ctx, to)
	if err != nil || now.mode() == mode {
		return err
	}
	config, err := now.with(mode)
	if err != nil {
		return errors.New("its floodlight's settings are not readable")
	}
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	a, err := c.get(ctx, to, writeLightRoute, url.Values{"config": {config}}, maxAnswer)
	if err != nil {
		return err
	}
	return readAnswer(a, nil)
}

var errNoPicture = errors.New("it sends no picture; monitoring may be off")

// picture takes a still picture.
func (c client) picture(ctx context.Context, to way) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.picturePatience)
	defer cancel()
	a, err := c.get(ctx, to, pictureRoute, nil, maxPicture)
	if errors.Is(err, errMissing) {
		return nil, errNoPicture
	}
	if err != nil {
		return nil, err
	}
	return readPicture(a)
}

// readPicture accepts a whole JPEG only: half a picture looks like a broken camera.
func readPicture(a answer) ([]byte, error) {
	if a.status != 200 || !bytes.HasPrefix(a.body, []byte(startOfJPEG)) {
		return nil, errNoPicture
	}
	if len(a.body) < smallestPicture || bytes.LastIndex(a.body, []byte(endOfJPEG)) < smallestPicture/2 {
		return nil, errors.New("it sends half a picture")
	}
	return a.body, nil
}
