package netatmo

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"

	"github.com/veilleuse/veilleuse/gateway"
)

// More keys of the vault, for what a person says on the page in place of the configuration.
const (
	applicationKey = "application" // an application
	homeKey        = "home"        // the id of the home to serve, or toBeChosen
)

// toBeChosen stands in place of a home's id while a person is being asked. It is no id: the vendor's have no such sign.
const toBeChosen = "?"

// application is the person's own application at the vendor.
type application struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

// longestCredential bounds id and secret, in bytes; the vendor's have 24 to 40.
const longestCredential = 200

// SaveApplication keeps the person's own application at the vendor, for where the configuration names none. It is durable when
// SaveApplication returns nil, and takes effect at once after [Adapter.Hasten].
func SaveApplication(v gateway.Vault, id, secret string) error {
	for _, text := range []string{id, secret} {
		strange := strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) })
		if text == "" || len(text) > longestCredential || strange {
			return errors.New("an application has an id and a secret, each one word without blanks: copy both from https://dev.netatmo.com/apps")
		}
	}
	data, err := json.Marshal(application{id, secret})
	if err == nil {
		err = v.Set(applicationKey, data)
	}
	if err != nil {
		return fmt.Errorf("store the application: %w", err)
	}
	return nil
}

// withApplication completes options of a configuration that names no application by the one that was kept, and the home that
// was chosen.
func (o Options) withApplication() Options {
	if o.Vault == nil {
		return o
	}
	if o.ClientID == "" {
		var kept application
		if data, err := o.Vault.Get(applicationKey); err == nil && json.Unmarshal(data, &kept) == nil {
			o.ClientID, o.ClientSecret = kept.ID, kept.Secret
		}
	}
	if o.Home == "" {
		if data, err := o.Vault.Get(homeKey); err == nil {
			o.chosen = string(data)
		}
	}
	return o
}

// HasApplication reports whether there is an application at the vendor, by the configuration or kept in the vault.
func (o Options) HasApplication() bool { return o.withApplication().ClientID != "" }

// SignedIn reports whether the vault holds tokens. Whether they are any good the vendor says.
func SignedIn(v gateway.Vault) bool {
	_, err := loadToken(v)
	return err == nil
}

// AskForHome has the adapter wait for a person's choice where the account has several homes, unless one was chosen.
func AskForHome(v gateway.Vault) error {
	if _, err := v.Get(homeKey); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return ChooseHome(v, toBeChosen)
}

// ChooseHome keeps which home is served, for where the configuration names none. It takes effect at once after [Adapter.Hasten].
func ChooseHome(v gateway.Vault, id string) error {
	if err := v.Set(homeKey, []byte(id)); err != nil {
		return fmt.Errorf("store which home is served: %w", err)
	}
	return nil
}

// HomeName is a home of the account.
type HomeName struct {
	ID, Name string
	Rooms    int
	Devices  int
}

// Standing is what the vendor last said when it was asked for the homes of the account.
type Standing struct {
	Homes []HomeName // as last read; nil: never
	Fault string     // why they could not be read last, in words; "": they could
	Open  bool       // a person is to choose one of them
}

// errHomeOpen says that nobody has chosen yet.
var errHomeOpen = errors.New("the account has several homes, and nobody has chosen one yet")

// Standing tells how the sign-in stands; false: the vendor has not been asked since [Adapter.Hasten], or the start.
func (a *Adapter) Standing() (Standing, bool) {
	if s := a.standing.Load(); s != nil {
		return *s, true
	}
	return Standing{}, false
}

// Hasten has the adapter look at once for what somebody has stored: tokens, application, choice of a home.
func (a *Adapter) Hasten() {
	a.standing.Store(nil)
	select {
	case a.hastened <- struct{}{}:
	default:
	}
}

// hasten looks at what was stored, and reads the home anew: once, at the cost of people's share of the quota, and in any phase, for
// a person who signs in does not wait until an outage is over.
func (s *session) hasten() {
	s.Options = s.adapter.options.withApplication()
	s.awaited, s.look = true, s.now()
	if s.account.usable() {
		s.adopt()
		s.round.hasten(topology, s.now())
	}
}

// buyer is who asks for the next reading.
func (s *session) buyer() buyer {
	if s.awaited {
		return forPeople
	}
	return forPoll
}

// tell notes for people how the reading of the homes went.
func (s *session) tell(homes []home, err error) {
	told, _ := s.adapter.Standing()
	told.Fault, told.Open = "", errors.Is(err, errHomeOpen)
	if len(homes) > 0 {
		told.Homes = nil
	}
	for _, h := range homes {
		told.Homes = append(told.Homes, HomeName{h.ID, cmp.Or(h.Name, h.ID), len(h.Rooms), len(h.Devices)})
	}
	if err != nil && !told.Open {
		told.Fault = s.hush(plain(s.cause(err)).Error())
	}
	s.adapter.standing.Store(&told)
}

// cause is what people can do something about: not that an access token has ended, but why it could not be renewed.
func (s *session) cause(err error) error {
	if no := (refusal{}); errors.As(err, &no) && no.aboutToken() && s.renewal != nil {
		return s.renewal
	}
	return err
}

// toChoose reports whether a person is to say which of the homes is meant.
func (s *session) toChoose(homes []home) bool {
	return s.chosen == toBeChosen && s.homeID() == "" && len(homes) > 1
}
