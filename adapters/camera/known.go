package camera

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/veilleuse/veilleuse/gateway"
)

// known is what is kept of one camera: without it a restart in an outage would lose the camera.
type known struct {
	Version int              `json:"version"`
	Device  gateway.DeviceID `json:"device"`
	Name    string           `json:"name"`
	Model   string           `json:"model"`
	Good    way              `json:"good,omitzero"` // last one that answered as this camera
	Told    way              `json:"told,omitzero"` // what the cloud said last; the address may be missing
}

const (
	knownVersion = 1
	vaultPrefix  = "access/"
	maxCameras   = 32
)

func (k known) vaultKey() string { return vaultPrefix + string(k.Device) }

func (k known) save(vault gateway.Vault) error {
	k.Version = knownVersion
	data, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("keep the address of %s: %w", k.Device, err)
	}
	if err := vault.Set(k.vaultKey(), data); err != nil {
		return fmt.Errorf("keep the address of %s: %w", k.Device, err)
	}
	return nil
}

// readKnown decodes what save wrote. Its errors do not repeat the data, which are secret.
func readKnown(data []byte) (known, error) {
	var k known
	if err := json.Unmarshal(data, &k); err != nil {
		return known{}, errors.New("not readable")
	}
	if k.Version > knownVersion {
		return known{}, fmt.Errorf("version %d, this program knows %d", k.Version, knownVersion)
	}
	if _, ok := models[k.Model]; !ok || k.Device == "" {
		return known{}, errors.New("of no camera that has an address")
	}
	for _, w := range []way{k.Good, k.Told} {
		if w.Key != "" && !isKey(w.Key) {
			return known{}, errors.New("with a key that is none")
		}
	}
	return k, nil
}

// ways returns the ways that may lead to the camera, the likeliest first: what answered last, what the
// cloud says, and either key at the other's address.
func (k known) ways() []way {
	var all []way
	for _, w := range []way{k.Good, k.Told, {k.Good.Address, k.Told.Key}, {k.Told.Address, k.Good.Key}} {
		if w.complete() && !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	return all
}

// keys returns the keys that may open the camera.
func (k known) keys() []string {
	var all []string
	for _, key := range []string{k.Good.Key, k.Told.Key} {
		if key != "" && !slices.Contains(all, key) {
			all = append(all, key)
		}
	}
	return all
}

// take puts what the cloud says of the camera in k. An address that must not be dialled is left out,
// with the reason.
func (k known) take(a Access, loopback bool) (known, error) {
	if a.Name != "" {
		k.Name = a.Name
	}
	k.Device, k.Model = a.Device, a.Model
	told := way{Key: a.Key}
	var refused error
	if a.LocalURL != "" {
		local, err := parseLocalURL(a.LocalURL)
		if err == nil && a.Key != "" && local.Key != a.Key {
			err = errors.New("its key is another one")
		}
		if err == nil {
			told.Key = local.Key
			err = mayDial(local.Address, loopback)
		}
		if err == nil {
			told.Address = local.Address
		} else {
			refused = fmt.Errorf("the address that the cloud names for camera %s is not used: %w", a.Device, err)
		}
	}
	if told.Key != "" && !isKey(told.Key) {
		return k, fmt.Errorf("the key that the cloud names for camera %s is none", a.Device)
	}
	if told.Key == k.Told.Key && !told.Address.IsValid() {
		told.Address = k.Told.Address
	}
	if told.Key != "" {
		k.Told = told
	}
	return k, refused
}

// loadKnown reads all cameras out of the vault. What is not readable is left alone and named.
func loadKnown(vault gateway.Vault) (all map[gateway.DeviceID]known, unreadable []string, err error) {
	keys, err := vault.List(vaultPrefix)
	if err != nil {
		return nil, nil, fmt.Errorf("list the cameras: %w", err)
	}
	all = map[gateway.DeviceID]known{}
	for _, key := range keys {
		data, err := vault.Get(key)
		if err != nil {
			return nil, nil, fmt.Errorf("read the address of a camera: %w", err)
		}
		k, err := readKnown(data)
		if err != nil || k.vaultKey() != key {
			unreadable = append(unreadable, strings.TrimPrefix(key, vaultPrefix))
			continue
		}
		all[k.Device] = k
	}
	return all, unreadable, nil
}
