/* espalier.h as the first and only header of a C99 file. */
#include "espalier/espalier.h"

/* An array of a negative size does not compile. */
typedef char error_is_as_long_as_promised[sizeof(espalier_error) == 500 ? 1 : -1];

/* What every C program writes: sizes named, the rest zero. */
espalier_status ask(espalier_session* session, float* scores, espalier_error* error);
espalier_status ask(espalier_session* session, float* scores, espalier_error* error) {
  const espalier_call_options options = {.struct_size = sizeof options,
                                         .deadline_ms = espalier_now_ms() + 50};
  const espalier_text text = {"a charming journey", ESPALIER_UNTIL_NUL, NULL, 0};
  return espalier_classify(session, &text, 1, &options, scores, 2, NULL, error);
}
