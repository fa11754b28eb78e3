package diff

import (
	"cmp"
	"slices"
)

// Locality-sensitive hashing of features (A. Z. Broder, On the resemblance and containment of documents, 1997): elements
// that share the least hashes of a band of rows are compared. Of pairs that are alike by half nine in ten are compared, of
// those alike by three quarters all but one in some thousands.
const (
	bands     = 20
	bandRows  = 2
	maxBucket = 8 // elements of one bucket that are compared with one element: the nearest by place
	maxPerOne = 8 // likely partners that are kept of one element
)

// bucketed is an element in the bucket of one band.
type bucketed struct {
	key uint64
	at  int
}

// candidates returns pairs that are worth a look and alike enough.
func candidates(a, b []profile) []likely {
	index := make([][]bucketed, bands)
	for band := range index {
		for j := range b {
			if key, ok := bandOf(b[j], band); ok {
				index[band] = append(index[band], bucketed{key, j})
			}
		}
		slices.SortFunc(index[band], func(x, y bucketed) int { return cmp.Or(cmp.Compare(x.key, y.key), cmp.Compare(x.at, y.at)) })
	}
	var list []likely
	for i := range a {
		list = append(list, likelyPartners(a[i], i, b, index)...)
	}
	return list
}

// likelyPartners are the likely partners of the element a at place i.
func likelyPartners(a profile, i int, b []profile, index [][]bucketed) []likely {
	var seen []int
	var list []likely
	for band := range index {
		key, ok := bandOf(a, band)
		if !ok {
			continue
		}
		for _, e := range bucketAround(index[band], key, i) {
			if slices.Contains(seen, e.at) {
				continue
			}
			seen = append(seen, e.at)
			if l := likeness(a, b[e.at]); l >= minLikeness {
				list = append(list, likely{indexPair{i, e.at}, l})
			}
		}
	}
	slices.SortFunc(list, likely.better)
	return list[:min(len(list), maxPerOne)]
}

// bucketAround returns at most maxBucket elements of the bucket, those nearest to place i.
func bucketAround(sorted []bucketed, key uint64, i int) []bucketed {
	order := func(e, at bucketed) int { return cmp.Or(cmp.Compare(e.key, at.key), cmp.Compare(e.at, at.at)) }
	from, _ := slices.BinarySearchFunc(sorted, bucketed{key, 0}, order)
	at, _ := slices.BinarySearchFunc(sorted, bucketed{key, i}, order)
	to := at
	for to < len(sorted) && to < at+maxBucket && sorted[to].key == key {
		to++
	}
	from = max(from, to-maxBucket, at-maxBucket/2)
	return sorted[from:min(to, from+maxBucket)]
}

// bandOf is the bucket of a profile in one band; none for an empty profile.
func bandOf(p profile, band int) (key uint64, ok bool) {
	for r := range bandRows {
		least := ^uint64(0)
		for _, f := range p.features {
			least = min(least, mix(f.sum^mix(uint64(band*bandRows+r+1))))
		}
		key = mix(key ^ least)
	}
	return key, len(p.features) > 0
}

// mix spreads the bits of a number (the finaliser of splitmix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
