// Marks what the shared library exports; everything else stays hidden.
#pragma once

#if defined(__GNUC__)
#define ESPALIER_EXPORT __attribute__((visibility("default")))
#else
#define ESPALIER_EXPORT
#endif
