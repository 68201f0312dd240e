package diagnose

// grams quickly rules out words that cannot be in a text: it holds the hashes of all runs of four
// bytes of the text. Looking for each of the causes' words in turn would read the text hundreds of
// times.
type grams [1 << 12]uint64

func gramsOf(text string) *grams {
	g := new(grams)
	for i := 0; i+4 <= len(text); i++ {
		h := gram(text[i:])
		g[h>>6] |= 1 << (h & 63)
	}
	return g
}

// lacks reports that word is certainly not in the text.
func (g *grams) lacks(word string) bool {
	for i := 0; i+4 <= len(word); i++ {
		if h := gram(word[i:]); g[h>>6]&(1<<(h&63)) == 0 {
			return true
		}
	}
	return false
}

// gram hashes the first four bytes of s to 18 bits.
func gram(s string) uint32 {
	v := uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
	return v * 2654435761 >> 14
}
