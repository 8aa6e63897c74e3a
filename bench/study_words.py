"""The fixed words of docs/learned.md."""

METHOD = """\
## Method

- One program, `study_bench`. Keys lie one behind the other in one arena, with an array of offsets, which every kind
  has and which counts for none. Bits a key are what a kind keeps beside it.
- A key is projected to a window of 64 bits behind the prefix that all keys share: eight bytes, or sixteen digits
  where all keys have them there. A model proposes a bracket of ranks for the window; its ends are proven by
  windows, a bracket that fails is dropped for a search of everything (the share of such probes is shown), and equal
  windows are told apart by whole keys.
- The greatest error is what a model says of itself, in ranks: a bracket is twice as wide.
- A search takes windows from the keys, unless a kind's name says that it keeps them in a column of their own.
- "B-tree fences N" is a static B+-tree of cache lines over the window of each N-th key. The hash table is open
  addressing from a 64-bit hash to the rank; it answers no lower bounds.
- Hits are drawn evenly from the keys. Misses are keys cut, made longer, or changed in one character, so that they
  lie near present ones. Half of the lower bounds are of such keys.
- A probe begins when the one before is answered: its place is computed from that answer. Warm: the probes of a round
  in 16 pieces; the first four are left out, and the median of the others counts. Cold: see below; the median of a
  round's groups counts.
- Building includes the choice of the projection and the windows. It is repeated in each round; a database is built
  once.
- Rounds are interleaved: every kind is measured in each, and each round begins with another one. Ratios are taken
  between the figures of one round.
- Databases: keys put in random order with values of 100 bytes, flushed in two halves and compacted, through the
  public interface; options are the library's defaults but for the sync policy (none) and what a setting's name
  says. A lower bound is a seek of one iterator. "Build" is the whole load. Files are in the page cache, warm and
  cold.
- Real keys are those of the machine that ran this; where it has too few, they are varied as each set says.
- The best kind of several is chosen by the figures that are then compared, which favours the side with more kinds;
  the tables of each key set have all of them.
"""
