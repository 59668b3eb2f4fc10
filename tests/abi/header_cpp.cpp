// espalier.h as the first and only header of a C++11 file: its functions have C's names there too.
#include "espalier/espalier.h"

static_assert(sizeof(espalier_error) == 500, "as long as promised");

extern "C" espalier_status (*const espalier_test_function)(espalier_session*, const espalier_text*,
                                                           size_t, const espalier_call_options*,
                                                           float*, size_t, uint8_t*,
                                                           espalier_error*) = espalier_classify;
