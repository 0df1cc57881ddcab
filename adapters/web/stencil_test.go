package web

import (
	"encoding/json"
	"testing"
)

func TestStencil(t *testing.T) {
	var tree any
	if err := json.Unmarshal([]byte(`{"name":"Salon <b>","n":3,"yes":true,"no":false,"zero":0,"none":null,"empty":[],"deep":{"er":{"x":"y"}},
		"list":[{"name":"a","of":"a","more":["p","<q>"]},{"of":"b"}],"words":["one","two"]}`), &tree); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"plain": "plain", "{name}!": "Salon &lt;b&gt;!", "{n}{deep.er.x}{nothing}{none}": "3y",
		"{?yes}y{/}{?no}n{/}{?zero}z{/}{?none}o{/}{?empty}e{/}{?deep}d{/}": "yd",
		"{?no}n{:}else{/}{?yes}y{:}else{/}":                                "elsey",
		"{?n=3}three{/}{?n=4}four{:}not{/}{?n=@deep.er.x}same{:}other{/}":  "threenotother",
		"{?no}{?yes}in{:}out{/}{*words}x{/}{:}after{/}":                    "after",
		"{*words}{.},{/}{*empty}never{/}":                                  "one,two,",
		"{*list}[{name} {of} {n}{*more}{.}{/}{?more}{:} none{/}]{/}":       "[a a 3p&lt;q&gt;][Salon &lt;b&gt; b 3 none]",
		"{!room.shows n} {!first.is.+key}":                                 "the device shows 3° ",
		"{*list}{?of=@name}same{:}not{/} {/}":                              "same not ",
		"{~name} {$loud name}":                                             "Salon &lt;b&gt; <i>Salon <b></i>",
	} {
		s := &stencil{&sheet{in: english}, map[string]func(string) markup{"loud": func(text string) markup { return markup("<i>" + text + "</i>") }}}
		if rest, end := s.fill(text, []any{tree}, false); s.out.String() != want || rest != "" || end != "" {
			t.Errorf("%s\n gives %s\n want  %s", text, s.out.String(), want)
		}
	}
}
