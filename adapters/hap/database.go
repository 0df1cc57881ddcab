package hap

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
)

const (
	// BridgeAID is the accessory id of the bridge, or of a device that is a server of its own (HAP R2 2.6.1).
	BridgeAID = 1
	// informationIID is the instance id of the Accessory Information service (HAP R2 2.6.1.2).
	informationIID = 1
	// AccessoriesMax is how many accessories one server may have, the bridge included (HAP R2 2.5.3).
	AccessoriesMax = 150
	servicesMax    = 100 // of one accessory (HAP R2 2.5.3)
)

// urgencies are the characteristics whose changes do not wait: alarms, and what happens at a door.
var urgencies = map[UUID]urgency{
	CharacteristicSmokeDetected:           urgent,
	CharacteristicCarbonMonoxideDetected:  urgent,
	CharacteristicMotionDetected:          urgent,
	CharacteristicContactState:            urgent,
	CharacteristicLeakDetected:            urgent,
	CharacteristicSecuritySystemCurrent:   urgent,
	CharacteristicSecuritySystemTarget:    urgent,
	CharacteristicSecuritySystemAlarmType: urgent,
	CharacteristicProgrammableSwitchEvent: press,
}

var jsonNull = json.RawMessage("null")

// database is the accessories of a server. Its layout never changes; the values do, each by itself.
type database struct {
	points   map[CharacteristicID]*point
	readable []*point // in the order of template
	template []byte   // what /accessories answers, less the values
	layout   string   // changes with everything that controllers may keep by the configuration number
}

// point is one characteristic of the database.
type point struct {
	id    CharacteristicID
	meta  *Characteristic
	how   urgency
	cut   int // where in the template the value goes
	value atomic.Pointer[json.RawMessage]
}

// newDatabase checks the accessories and names every fault in them.
func newDatabase(accessories []Accessory) (*database, error) {
	if err := checkAccessories(accessories); err != nil {
		return nil, err
	}
	d := &database{points: map[CharacteristicID]*point{}}
	d.template = append(d.template, `{"accessories":[`...)
	for i := range accessories {
		if err := d.addAccessory(i, &accessories[i]); err != nil {
			return nil, err
		}
	}
	d.template = append(d.template, `]}`...)
	d.layout = d.fingerprint()
	return d, nil
}

func (d *database) addAccessory(index int, a *Accessory) error {
	d.template = fmt.Appendf(d.template, `%s{"aid":%d,"services":[`, comma(index), a.AID)
	for i := range a.Services {
		service := &a.Services[i]
		head := *service
		head.Characteristics = []Characteristic{}
		text, err := json.Marshal(head)
		if err != nil {
			return fmt.Errorf("accessory %d, service %d: %w", a.AID, service.IID, err)
		}
		d.template = append(append(d.template, comma(i)...), bytes.TrimSuffix(text, []byte("]}"))...)
		for j := range service.Characteristics {
			if err := d.addCharacteristic(j, a.AID, &service.Characteristics[j]); err != nil {
				return fmt.Errorf("accessory %d, characteristic %d: %w", a.AID, service.Characteristics[j].IID, err)
			}
		}
		d.template = append(d.template, `]}`...)
	}
	d.template = append(d.template, `]}`...)
	return nil
}

func (d *database) addCharacteristic(index int, aid uint64, c *Characteristic) error {
	p := &point{id: CharacteristicID{aid, c.IID}, meta: c, how: urgencies[c.Type]}
	if c.Value != nil && p.how != press {
		value, err := c.normalise(c.Value)
		if err != nil {
			return err
		}
		p.value.Store(&value)
	}
	d.points[p.id] = p
	bare := *c
	bare.Value = nil
	text, err := json.Marshal(bare)
	if err != nil {
		return err
	}
	// Quotes within a JSON string are escaped, so this can be nothing but the member itself.
	before, after, hasValue := bytes.Cut(text, []byte(`"value":null`))
	d.template = append(append(d.template, comma(index)...), before...)
	if hasValue {
		d.template = append(d.template, `"value":`...)
		p.cut = len(d.template)
		d.readable = append(d.readable, p)
		d.template = append(d.template, after...)
	}
	return nil
}

func comma(index int) string {
	if index == 0 {
		return ""
	}
	return ","
}

// fingerprint covers the layout without the values, but with the firmware revisions, after a change of which HAP R2
// table 6-7 wants a new configuration number too.
func (d *database) fingerprint() string {
	sum := sha256.New()
	sum.Write(d.template)
	for _, p := range d.readable {
		if p.meta.Type == CharacteristicFirmwareRevision {
			sum.Write(p.shown())
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// encode is the answer to /accessories.
func (d *database) encode() []byte {
	const aValue = 16 // bytes; a guess
	out := make([]byte, 0, len(d.template)+aValue*len(d.readable))
	from := 0
	for _, p := range d.readable {
		out = append(append(out, d.template[from:p.cut]...), p.shown()...)
		from = p.cut
	}
	return append(out, d.template[from:]...)
}

// known is the value as controllers may read it; nil where there is nothing to show.
func (p *point) known() json.RawMessage {
	if p.how == press {
		return jsonNull // a press is over when it is read (HAP R2 9.75)
	}
	if value := p.value.Load(); value != nil {
		return *value
	}
	return nil
}

func (p *point) shown() json.RawMessage {
	if value := p.known(); value != nil {
		return value
	}
	return jsonNull
}

// set stores a checked value, or nil, and tells whether controllers should hear of it.
func (p *point) set(value json.RawMessage) bool {
	if p.how == press {
		return value != nil
	}
	if value == nil {
		p.value.Store(nil)
		return false // an event has no way to say "unknown"
	}
	if bytes.Equal(p.known(), value) {
		return false
	}
	p.value.Store(&value)
	return true
}

// differs tells whether controllers that know the value of before should hear of this one.
func (p *point) differs(before *point) bool {
	return p.how != press && p.known() != nil && !bytes.Equal(p.known(), before.known())
}

func (d *database) givesEvents(id CharacteristicID) bool {
	p := d.points[id]
	return p != nil && p.meta.Has(PermEvents)
}

// checkAccessories finds what would make controllers refuse the database, or mix things up.
func checkAccessories(accessories []Accessory) error {
	if len(accessories) > AccessoriesMax {
		return fmt.Errorf("%d accessories are more than the %d that HomeKit allows", len(accessories), AccessoriesMax)
	}
	seen := map[uint64]bool{}
	var faults []error
	for i := range accessories {
		a := &accessories[i]
		if a.AID == 0 || seen[a.AID] {
			faults = append(faults, fmt.Errorf("accessory %d: the id is 0 or there twice", a.AID))
		}
		seen[a.AID] = true
		if err := checkAccessory(a); err != nil {
			faults = append(faults, fmt.Errorf("accessory %d: %w", a.AID, err))
		}
	}
	if !seen[BridgeAID] {
		faults = append(faults, errors.New("accessory 1 is missing, which is the bridge itself"))
	}
	return errors.Join(faults...)
}

func checkAccessory(a *Accessory) error {
	if len(a.Services) > servicesMax {
		return fmt.Errorf("%d services are more than the %d that HomeKit allows", len(a.Services), servicesMax)
	}
	if _, found := a.Find(ServiceAccessoryInformation); !found {
		return errors.New("the Accessory Information service is missing")
	}
	services, characteristics := map[uint64]bool{}, map[uint64]bool{}
	var faults []error
	for i := range a.Services {
		s := &a.Services[i]
		if s.IID == 0 || s.Type == "" || services[s.IID] {
			faults = append(faults, fmt.Errorf("service %d %s: id or type is missing, or the id there twice", s.IID, s.Type))
		}
		services[s.IID] = true
		faults = append(faults, checkCharacteristics(s, characteristics))
	}
	return errors.Join(faults...)
}

// checkCharacteristics looks at those of one service; seen are the ids of the whole accessory so far.
func checkCharacteristics(s *Service, seen map[uint64]bool) error {
	var faults []error
	for i := range s.Characteristics {
		c := &s.Characteristics[i]
		err := c.checkMetadata()
		if c.IID == 0 || c.Type == "" || seen[c.IID] {
			err = errors.New("id or type is missing, or the id there twice")
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("characteristic %d %s: %w", c.IID, c.Type, err))
		}
		seen[c.IID] = true
	}
	return errors.Join(faults...)
}
