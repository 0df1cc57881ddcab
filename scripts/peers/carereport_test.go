package peers

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// drillReport looks at the report of the drill, and prints it.
func (k *keeping) drillReport() {
	for _, look := range []looks{{french: true, phone: true}, {}} {
		name := fmt.Sprintf("report-%s-%s", word(look.phone, "phone", "desk"), word(look.french, "fr", "en"))
		promise(k.t, "no serious fault by axe in the report of the drill: "+name, func() (string, error) {
			look.as = k.phone.name
			return "", k.looksWell(name, "/outages/1", look)
		})
	}
	promise(k.t, "the report is printed without buttons, and says what the verb says", func() (string, error) {
		return k.printed(k.phone, "report-drill-fr", 1, "Exercice 1", "Déroulement", "Ce que Veilleuse a fait", "Confort maintenu", "Décisions, avec leurs raisons")
	})
}

// printed makes a PDF of a report and reads it. On one in English the decisions stand in the words of the verb, on any with their times.
func (k *keeping) printed(v *visitor, name string, number int, wants ...string) (string, error) {
	if err := v.do("go", map[string]any{"url": fmt.Sprintf("%s/outages/%d", v.home, number)}); err != nil {
		return "", err
	}
	file := filepath.Join(v.shot, name+".pdf")
	var size int
	if err := k.ask(v, "print", map[string]any{"file": file}, &size); err != nil {
		return "", err
	}
	text, err := command(patience, "pdftotext", "-layout", file, "-")
	if err != nil {
		return "", err
	}
	out, err := k.house.verb("report", "--json", fmt.Sprint(number))
	if err != nil {
		return "", err
	}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return "", err
	}
	var told struct {
		Decisions []struct {
			At   time.Time
			What string
		}
	}
	if err := json.Unmarshal([]byte(out), &told); err != nil {
		return "", err
	}
	plain := strings.Join(strings.Fields(text), " ")
	for _, d := range told.Decisions {
		first := strings.Fields(d.What)
		words := strings.Join(first[:min(3, len(first))], " ")
		if at := d.At.In(paris).Format("15:04"); !strings.Contains(plain, at) || !v.french && !strings.Contains(plain, words) {
			return "", fmt.Errorf("%q is not on the paper", d.What)
		}
	}
	for _, want := range wants {
		if !strings.Contains(plain, want) {
			return "", fmt.Errorf("%q is not on the paper: %.600s", want, plain)
		}
	}
	for _, odd := range []string{"Se déconnecter", "Sign out", "Retour à la maison", "http://"} {
		if strings.Contains(plain, odd) {
			return "", fmt.Errorf("%q is on the paper", odd)
		}
	}
	return fmt.Sprintf("%d bytes, %d letters, %d decisions", size, len(plain), len(told.Decisions)), nil
}

// outage is seen on a page that stays open.
func (k *keeping) outage(lost time.Time) {
	v := k.phone
	promise(k.t, "an outage is seen live on an open page, with its cause and the way to its report", func() (string, error) {
		if err := v.do("go", map[string]any{"url": v.home + "/"}); err != nil {
			return "", err
		}
		loaded := `performance.timeOrigin`
		var before, after float64
		if err := k.ask(v, "run", map[string]any{"script": loaded}, &before); err != nil {
			return "", err
		}
		if err := v.says("#charge", "Netatmo"); err != nil {
			return "", err
		}
		if _, err := until(lossTime, func() error {
			_, err := v.sees(`document.querySelector('.phase-local') && document.querySelector('.see a[href="/outages/2"]')`)
			return err
		}); err != nil {
			return "", err
		}
		if err := k.ask(v, "run", map[string]any{"script": loaded}, &after); err != nil || before != after {
			return "", fmt.Errorf("the page was loaded anew: %v", err)
		}
		v.picture("outage-phone-fr", true)
		return seconds(time.Since(lost)) + " after the cut", v.says("#charge", "Veilleuse a pris le relais", "Netatmo ne répond pas", "Le rapport de cette panne")
	})
	promise(k.t, "its report is printed while it goes on", func() (string, error) {
		return k.printed(v, "report-outage-fr", 2, "Panne 2", "Ce qui s’est passé", "Ce qui a été constaté", "Pas encore rendue")
	})
	promise(k.t, "no serious fault by axe in the report of an outage", func() (string, error) {
		return "", k.looksWell("report-outage-desk-en", "/outages/2", looks{as: v.name})
	})
}
