/* The C interface of espalier: open a model file, ask it, read the answers. C99; C++ may include it
   too. README.md beside this file shows whole programs in C and in Python.

   Conventions, the same for every function that returns an espalier_status:
   - It returns ESPALIER_OK or says what went wrong, and fills `error` where that is not NULL: a
   code and one line that says what, where and what to do. Nothing in it has to be freed. After
   ESPALIER_OK the line is empty.
   - It never prints, exits, aborts, throws, changes the locale or the floating-point mode, or keeps
   global state. Cancel a call with espalier_call_options, not with pthread_cancel.
   - What it hands out through a pointer to a pointer is the caller's to free, with the free
   function of that type; on failure NULL is stored. Every free function takes NULL.
   - Structs that begin with `struct_size` grow at their end only. Set it to sizeof the struct, and
   all you do not name to zero: zero always means "as usual". So a program may meet an older or a
   newer library: fields that its header does not have yet are as usual, and options that this
   library does not know yet are refused (ESPALIER_UNAVAILABLE) where they are not zero. Fields that
   this library does not know are zero in what it fills. Options may be NULL: all as usual. The
   other structs never change.
   - Texts are bytes with a length, UTF-8. One that is not is refused by number
   (ESPALIER_BAD_INPUT), unless an option asks to read what is malformed as U+FFFD. Pairs are texts
   with a `second`, which the model reads together.
   - Threads: a model or a result may be used from any thread at any time. A session answers one
   call at a time; a second call meanwhile is refused (ESPALIER_USAGE). Make one a thread: sessions
   share the model's weights. A model may be freed before its sessions and results; they keep what
   they need.

   Answers of fixed size (scores, vectors) go to the caller's memory. Lists whose length only the
   answer knows (tags, tokens, candidates) come in an espalier_result, to be read in place and freed
   at once: sizing a buffer first would mean to ask the model twice, or to guess. */
#ifndef ESPALIER_ESPALIER_H
#define ESPALIER_ESPALIER_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define ESPALIER_API __attribute__((visibility("default")))
#else
#define ESPALIER_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Number of this binary interface, and of the library's soname. Functions and fields are added
   without changing it; it changes when something is taken away. (The C++ classes are not part of
   it: rebuild for those.) */
#define ESPALIER_ABI_VERSION 1

typedef int32_t espalier_status;
enum {
  ESPALIER_OK = 0,
  ESPALIER_FAILED = 1,       /* the work could not be done */
  ESPALIER_USAGE = 2,        /* an argument or an option is wrong, or the model's task is another */
  ESPALIER_BAD_INPUT = 3,    /* a file or a text is not what it should be */
  ESPALIER_UNAVAILABLE = 6,  /* this machine or this version lacks what was asked for */
  ESPALIER_VERIFICATION = 7, /* the file is damaged or forged */
  ESPALIER_RESOURCE = 8,     /* out of memory or threads */
  ESPALIER_CANCELLED = 9,    /* the cancel flag was set */
  ESPALIER_DEADLINE = 10     /* the deadline passed */
};

/* Filled by every call that is given one; needs no preparation. */
typedef struct espalier_error {
  espalier_status code;
  char message[496]; /* UTF-8, ended by NUL; cut where it would be longer */
} espalier_error;

typedef struct espalier_model espalier_model;
typedef struct espalier_session espalier_session;
typedef struct espalier_result espalier_result;

/* ---- Library ---- */

/* ESPALIER_ABI_VERSION of the library that runs. */
ESPALIER_API uint32_t espalier_abi_version(void);

/* "0.1.0". */
ESPALIER_API const char* espalier_version(void);

/* Milliseconds on the clock of espalier_call_options.deadline_ms: monotonic (CLOCK_MONOTONIC on
 * Linux), never 0. */
ESPALIER_API uint64_t espalier_now_ms(void);

/* ---- Model: immutable, shared by all its sessions ---- */

typedef struct espalier_open_options {
  size_t struct_size;
  /* Not 0: map the file instead of reading it. Saves a copy; but when another process truncates the
     file, this one is killed. Only for files that nobody writes to. */
  uint32_t map_file;
  uint32_t reserved; /* 0 */
} espalier_open_options;

/* Reads a model file and checks it to the last byte before anything is allocated from it. */
ESPALIER_API espalier_status espalier_model_open(const char* path,
                                                 const espalier_open_options* options,
                                                 espalier_model** model, espalier_error* error);

/* The same from memory; the bytes are copied. */
ESPALIER_API espalier_status espalier_model_open_memory(const void* bytes, size_t n_bytes,
                                                        espalier_model** model,
                                                        espalier_error* error);

ESPALIER_API void espalier_model_free(espalier_model* model);

/* What a model answers, and the call that asks it. */
typedef int32_t espalier_task;
enum {
  ESPALIER_TASK_CLASSIFY = 0, /* espalier_classify: one label; scores are a softmax */
  ESPALIER_TASK_MULTI_LABEL =
      1,                      /* espalier_classify: every label on its own; scores are sigmoids */
  ESPALIER_TASK_REGRESS = 2,  /* espalier_classify: one number */
  ESPALIER_TASK_TAG = 3,      /* espalier_tag: labelled parts of the text */
  ESPALIER_TASK_EMBED = 4,    /* espalier_embed: one vector */
  ESPALIER_TASK_FILL_MASK = 5 /* espalier_fill_mask: pieces for each [MASK] */
};

/* How the linear layers are stored. Later versions may know more. */
typedef int32_t espalier_precision;
enum { ESPALIER_PRECISION_FP32 = 0, ESPALIER_PRECISION_INT8 = 1, ESPALIER_PRECISION_BF16 = 2 };

typedef struct espalier_model_info {
  size_t struct_size;
  espalier_task task;
  espalier_precision precision;
  uint32_t n_answers; /* floats of one text's answer: scores for espalier_classify, values for
                         espalier_embed; else 0 */
  uint32_t hidden;
  uint32_t n_layers;
  uint32_t vocabulary_size;
  uint32_t max_length; /* tokens of a text or a pair, special tokens included */
  uint32_t n_labels;
  const char* const* labels; /* (n_labels), live as long as the model */
  uint64_t n_parameters;
  uint64_t file_bytes;
  uint64_t checksum; /* XXH3-64 of the file */
} espalier_model_info;

ESPALIER_API espalier_status espalier_model_get_info(const espalier_model* model,
                                                     espalier_model_info* info,
                                                     espalier_error* error);

typedef struct espalier_self_test_report {
  size_t struct_size;
  uint32_t passed; /* 1 or 0 */
  uint32_t n_cases;
  float worst_difference; /* largest |answer - expected| / max(1, |expected|) */
  float tolerance;        /* 0: equal bits were asked for */
} espalier_self_test_report;

/* Runs the sentences stored in the file and compares with the stored answers. device: as in session
   options. ESPALIER_OK says that it ran; `passed` says whether this machine computes what the
   model's maker's did. */
ESPALIER_API espalier_status espalier_model_self_test(const espalier_model* model,
                                                      const char* device,
                                                      espalier_self_test_report* report,
                                                      espalier_error* error);

/* ---- Session: the threads and memory of one stream of calls ---- */

typedef int32_t espalier_log_level;
enum {
  ESPALIER_LOG_INFO = 1,   /* what was decided, and why */
  ESPALIER_LOG_WARNING = 2 /* something is slower, or other, than the caller may think */
};

/* Takes what the library has to say: one line of UTF-8 without its end, ended by NUL and valid
   during the call. It never holds a text, a token, an answer or the path of a file. */
typedef void (*espalier_log_function)(void* log_user, espalier_log_level level,
                                      const char* message);

typedef struct espalier_session_options {
  size_t struct_size;
  /* "auto", "cpu" or "reference"; NULL is "auto": the fastest that runs here, or what the
     environment variable ESPALIER_BACKEND says. */
  const char* device;
  uint32_t n_threads;  /* 0: one for each processor that this process may use. Answers do not depend
                          on it. */
  uint32_t max_length; /* longest text or pair in tokens, longer ones are cut; 0: the model's own */
  /* Hears, when the session is opened, which back end and kernels compute and why, and what was
     passed over; then, once, that a call cut texts. NULL: nobody does. Called on the thread that
     opens the session or calls it, before that returns, never on one of the library's; by sessions
     that share it at the same time. It must return (no longjmp, no exception), and not call this
     session. espalier_estimate_memory tells it nothing. */
  espalier_log_function log;
  void* log_user; /* handed to `log` as it is */
} espalier_session_options;

ESPALIER_API espalier_status espalier_session_open(const espalier_model* model,
                                                   const espalier_session_options* options,
                                                   espalier_session** session,
                                                   espalier_error* error);

/* Waits for nothing: no call may be running. */
ESPALIER_API void espalier_session_free(espalier_session* session);

typedef struct espalier_session_info {
  size_t struct_size;
  const char*
      device; /* the one that computes: "cpu"; lives as long as the session, like code_path */
  const char* code_path; /* its kernels: "avx512 vnni" */
  uint32_t n_threads;
  uint32_t max_length;
} espalier_session_info;

ESPALIER_API espalier_status espalier_session_get_info(const espalier_session* session,
                                                       espalier_session_info* info,
                                                       espalier_error* error);

typedef struct espalier_memory {
  size_t struct_size;
  uint64_t model_bytes; /* an open model */
  uint64_t
      packed_bytes; /* its weights as the device reads them, once for all sessions of the device */
  uint64_t session_bytes; /* each session with these options */
  uint64_t call_bytes;    /* a call while it runs; a part of it stays with the session */
} espalier_memory;

/* The most heap that a model and its sessions take: an upper bound, found without opening a
   session. For calls of n_texts texts of n_tokens tokens each. Stacks, the library's code and the
   compiled code of its kernels are not in it. */
ESPALIER_API espalier_status espalier_estimate_memory(const espalier_model* model,
                                                      const espalier_session_options* options,
                                                      size_t n_texts, size_t n_tokens,
                                                      espalier_memory* memory,
                                                      espalier_error* error);

/* ---- Calls ---- */

/* A length that stands for "up to the NUL". */
#define ESPALIER_UNTIL_NUL ((size_t)-1)

/* One input: a text, or with a `second` a pair. `first` is never NULL; a NULL `second` is none. */
typedef struct espalier_text {
  const char* first;
  size_t first_bytes;
  const char* second;
  size_t second_bytes;
} espalier_text;

typedef struct espalier_call_options {
  size_t struct_size;
  /* Give up with ESPALIER_CANCELLED once *cancel is not 0. Any thread or signal handler may set it
     (an aligned 32-bit store); one flag may serve many calls; it is never reset here. NULL: none.
   */
  const volatile int32_t* cancel;
  /* Give up with ESPALIER_DEADLINE once espalier_now_ms() has come to it: espalier_now_ms() + 50 is
     in 50 ms. 0: none. Both are looked at when a call begins and before each block of sentences (up
     to 256 tokens, or one longer text), not while texts are cut into tokens. What the call would
     have filled is then undefined, and the session can be used again at once. */
  uint64_t deadline_ms;
  uint32_t
      replace_invalid_utf8; /* not 0: read what is no UTF-8 as U+FFFD, which the tokenizer drops */
  uint32_t reserved;        /* 0 */
} espalier_call_options;

/* Scores of every label for every text. scores: (n_texts, n_answers) floats, row by row; n_scores
   is the room there. truncated: (n_texts), 1 where a text was longer than the session takes and
   lost its end; or NULL. Takes pairs. */
ESPALIER_API espalier_status espalier_classify(espalier_session* session,
                                               const espalier_text* texts, size_t n_texts,
                                               const espalier_call_options* options, float* scores,
                                               size_t n_scores, uint8_t* truncated,
                                               espalier_error* error);

/* A vector for every text. values: (n_texts, n_answers), row by row; of unit length where the model
 * says so. */
ESPALIER_API espalier_status espalier_embed(espalier_session* session, const espalier_text* texts,
                                            size_t n_texts, const espalier_call_options* options,
                                            float* values, size_t n_values, uint8_t* truncated,
                                            espalier_error* error);

/* The labelled parts of every text; espalier_result_spans reads them. Takes no pairs. Longer texts
   than the session takes are read in windows, so nothing is cut. */
ESPALIER_API espalier_status espalier_tag(espalier_session* session, const espalier_text* texts,
                                          size_t n_texts, const espalier_call_options* options,
                                          espalier_result** result, espalier_error* error);

/* The n_candidates (at least 1) likeliest pieces for every [MASK]; espalier_result_candidates reads
 * them. No pairs. */
ESPALIER_API espalier_status espalier_fill_mask(espalier_session* session,
                                                const espalier_text* texts, size_t n_texts,
                                                size_t n_candidates,
                                                const espalier_call_options* options,
                                                uint8_t* truncated, espalier_result** result,
                                                espalier_error* error);

typedef struct espalier_tokenize_options {
  size_t struct_size;
  uint32_t max_length;           /* 0: the model's own */
  uint32_t replace_invalid_utf8; /* as in espalier_call_options */
} espalier_tokenize_options;

/* The tokens that the model reads for every text or pair; espalier_result_tokens reads them. Needs
 * no session. */
ESPALIER_API espalier_status espalier_tokenize(const espalier_model* model,
                                               const espalier_text* texts, size_t n_texts,
                                               const espalier_tokenize_options* options,
                                               uint8_t* truncated, espalier_result** result,
                                               espalier_error* error);

/* ---- Results: what they point to lives until the result is freed. `text` counts from 0. ---- */

typedef struct espalier_span {
  const char* label; /* without its B- or I- */
  size_t begin;      /* bytes of the text, [begin, end) */
  size_t end;
  float score; /* mean of the probabilities of its words' labels */
} espalier_span;

ESPALIER_API espalier_status espalier_result_spans(const espalier_result* result, size_t text,
                                                   const espalier_span** spans, size_t* n_spans,
                                                   espalier_error* error);

typedef struct espalier_token {
  int32_t id;
  uint32_t segment; /* 0: of `first`, 1: of `second` */
  size_t begin;     /* bytes of that text, [begin, end); 0 and 0 of special tokens */
  size_t end;
  const char* piece; /* as the vocabulary spells it, ended by NUL */
} espalier_token;

ESPALIER_API espalier_status espalier_result_tokens(const espalier_result* result, size_t text,
                                                    const espalier_token** tokens, size_t* n_tokens,
                                                    espalier_error* error);

typedef struct espalier_candidate {
  uint32_t mask; /* which [MASK] of the text, from 0 */
  int32_t id;
  const char* piece; /* as the vocabulary spells it, ended by NUL */
  float score;       /* probability */
} espalier_candidate;

/* All masks of a text in order, each with its candidates, best first. */
ESPALIER_API espalier_status espalier_result_candidates(const espalier_result* result, size_t text,
                                                        const espalier_candidate** candidates,
                                                        size_t* n_candidates,
                                                        espalier_error* error);

ESPALIER_API void espalier_result_free(espalier_result* result);

#ifdef __cplusplus
}
#endif

#endif
