// Package ear hears smoke and carbon monoxide alarms by the sound of their own sirens.
//
// A detector without a path on the LAN still has a loud voice: 85 dB(A) at 3 m (EN 14604). The ear listens
// through any ALSA microphone, or to a stream of samples, in two stages: a cheap one that asks of every 16 ms
// whether one steady tone between 2.4 and 4.2 kHz stands out, and one that asks whether such tones come and
// go as sirens do, for at least two cycles. It knows temporal-3 (ISO 8201, smoke), temporal-4 (carbon
// monoxide), the continuous and the fast two-tone siren, and it learns the voice of a detector while a
// person presses its test button.
//
// No sound is stored and none leaves the process: what remains of each 16 ms are the strengths of 58
// pitches, kept for 15 s in memory. The ear adds to certified alarms and replaces none.
package ear
