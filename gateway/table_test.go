package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTableAgreesWithAMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var table Table[DeviceID, int]
	oracle := map[DeviceID]int{}
	for range 5000 {
		before, beforeOracle := table, maps.Clone(oracle)
		for range random.IntN(4) {
			key := DeviceID(fmt.Sprint("device", random.IntN(300)))
			if random.IntN(3) == 0 {
				table = table.Without(key)
				delete(oracle, key)
			} else {
				value := random.IntN(5)
				table = table.With(key, value)
				oracle[key] = value
			}
		}
		if got := maps.Collect(before.All()); !maps.Equal(got, beforeOracle) {
			t.Fatal("a table changed after it was shown")
		}
		if got := maps.Collect(table.All()); !maps.Equal(got, oracle) || table.Len() != len(oracle) {
			t.Fatalf("table has %d entries, the map %d", table.Len(), len(oracle))
		}
		seen := map[DeviceID]bool{}
		for key := range table.Changes(before) {
			if seen[key] {
				t.Fatalf("%s is yielded twice", key)
			}
			seen[key] = true
		}
		for key := range maps.Keys(union(beforeOracle, oracle)) {
			a, inA := beforeOracle[key]
			b, inB := oracle[key]
			if (a != b || inA != inB) && !seen[key] {
				t.Fatalf("%s changed from %d to %d and is not yielded", key, a, b)
			}
		}
		if len(seen) > 4 {
			t.Fatalf("%d keys yielded for at most 4 changes", len(seen))
		}
	}
}

func union(a, b map[DeviceID]int) map[DeviceID]int {
	c := maps.Clone(a)
	maps.Copy(c, b)
	return c
}

func TestTableIsInOrderAndSurvivesJSON(t *testing.T) {
	var table Table[RoomID, float64]
	for _, key := range []RoomID{"b", "a", "d", "c"} {
		table = table.With(key, float64(len(key)))
	}
	data, err := json.Marshal(table)
	if err != nil || string(data) != `{"a":1,"b":1,"c":1,"d":1}` {
		t.Fatalf("%s, %v", data, err)
	}
	var back Table[RoomID, float64]
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	var keys []RoomID
	for key := range back.All() {
		keys = append(keys, key)
	}
	if !slices.Equal(keys, []RoomID{"a", "b", "c", "d"}) {
		t.Fatal(keys)
	}
}

// The cost of a change must not grow with the house: a path of a tree, not a copy of a map.
func BenchmarkTableWith(b *testing.B) {
	for _, size := range []int{20, 200, 2000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			var table Table[DeviceID, int]
			for i := range size {
				table = table.With(DeviceID(fmt.Sprint("70:ee:50:00:00:", i)), i)
			}
			b.ReportAllocs()
			for b.Loop() {
				table = table.With("70:ee:50:00:00:7", 7)
			}
		})
	}
}
