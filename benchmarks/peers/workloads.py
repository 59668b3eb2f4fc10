"""The workloads of the comparison: which sentences each runtime is given, call by call, as lists of token ids.

Sentences are real ones of the data wherever one of the wanted length is there, else seeded random ids; every runtime
gets the same. `mix32` comes three times: as one call (who pads, pads it to its longest sentence), sorted into calls of
eight sentences of similar length, and one sentence a call.
"""
import random

MIX = [5, 9, 12, 14, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
       29, 30, 31, 32, 33, 34, 36, 38, 40, 42, 45, 47, 50, 54, 58, 64]
BUCKET = 8  # sentences of a call of `mix32 sorted`: padding adds 22 % of tokens, instead of 111 % in one call
SEED = 7


def sentences_of(lengths, pool, frame):
    """One sentence for each length. pool: {length: [ids, ...]} of real ones; frame: (first id, last id, vocabulary)."""
    first, last, vocabulary = frame
    rng = random.Random(SEED)
    waiting = {length: list(found) for length, found in pool.items()}
    sentences = []
    for length in lengths:
        if waiting.get(length):
            sentences.append(waiting[length].pop(0))
        else:
            inner = [rng.randrange(min(1000, vocabulary // 2), vocabulary) for _ in range(length - 2)]
            sentences.append([first, *inner, last])
    return sentences


def workloads(pool, frame):
    """{name: {"calls": [[ids, ...], ...], "packed_calls": the same for a runtime that never pads}}, in table order."""
    def one_call(lengths):
        calls = [sentences_of(lengths, pool, frame)]
        return {"calls": calls, "packed_calls": calls}
    made = {"1x16": one_call([16]), "1x128": one_call([128]), "1x384": one_call([384]), "8x128": one_call([128] * 8)}
    mixed = sentences_of(MIX, pool, frame)
    shuffled = random.Random(SEED).sample(mixed, len(mixed))
    buckets = [mixed[begin:begin + BUCKET] for begin in range(0, len(mixed), BUCKET)]
    singles = [[sentence] for sentence in shuffled]
    made["mix32"] = {"calls": [shuffled], "packed_calls": [shuffled]}
    made["mix32 sorted"] = {"calls": buckets, "packed_calls": [shuffled]}
    made["mix32 singly"] = {"calls": singles, "packed_calls": singles}
    return made


def pool_of(sentences):
    pool = {}
    for ids in sentences:
        pool.setdefault(len(ids), []).append(ids)
    return pool
