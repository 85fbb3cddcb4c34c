/*
 * The complex functions of C99 that Wine's ucrtbase.dll only names and NumPy calls (learn.microsoft.com: "C complex math
 * support"). Windows has long double as double, and passes these numbers as plain structures of two parts.
 */

#include <complex.h>
#include <math.h>

typedef struct { double real, imaginary; } wide;
typedef struct { float real, imaginary; } narrow;

static double complex from_wide(wide z)
{
    double complex number;
    __real__ number = z.real;
    __imag__ number = z.imaginary;
    return number;
}

static float complex from_narrow(narrow z)
{
    float complex number;
    __real__ number = z.real;
    __imag__ number = z.imaginary;
    return number;
}

static wide to_wide(double complex number) { return (wide){__real__ number, __imag__ number}; }
static narrow to_narrow(float complex number) { return (narrow){__real__ number, __imag__ number}; }

/* the exported names are these with "our_" before them: two programs of the C library may not share one */
#define COMPLEX_OF_COMPLEX(name) \
    wide our_##name(wide z) { return to_wide(name(from_wide(z))); } \
    wide our_##name##l(wide z) { return to_wide(name(from_wide(z))); } \
    narrow our_##name##f(narrow z) { return to_narrow(name##f(from_narrow(z))); }

#define REAL_OF_COMPLEX(name) \
    double our_##name(wide z) { return name(from_wide(z)); } \
    double our_##name##l(wide z) { return name(from_wide(z)); } \
    float our_##name##f(narrow z) { return name##f(from_narrow(z)); }

COMPLEX_OF_COMPLEX(cacos)
COMPLEX_OF_COMPLEX(cacosh)
COMPLEX_OF_COMPLEX(casin)
COMPLEX_OF_COMPLEX(casinh)
COMPLEX_OF_COMPLEX(catan)
COMPLEX_OF_COMPLEX(catanh)
COMPLEX_OF_COMPLEX(ccos)
COMPLEX_OF_COMPLEX(ccosh)
COMPLEX_OF_COMPLEX(cexp)
COMPLEX_OF_COMPLEX(clog)
COMPLEX_OF_COMPLEX(conj)
COMPLEX_OF_COMPLEX(cproj)
COMPLEX_OF_COMPLEX(csin)
COMPLEX_OF_COMPLEX(csinh)
COMPLEX_OF_COMPLEX(csqrt)
COMPLEX_OF_COMPLEX(ctan)
COMPLEX_OF_COMPLEX(ctanh)

REAL_OF_COMPLEX(cabs)
REAL_OF_COMPLEX(carg)
REAL_OF_COMPLEX(cimag)
REAL_OF_COMPLEX(creal)

wide our_cpow(wide base, wide exponent) { return to_wide(cpow(from_wide(base), from_wide(exponent))); }
wide our_cpowl(wide base, wide exponent) { return our_cpow(base, exponent); }
narrow our_cpowf(narrow base, narrow exponent) { return to_narrow(cpowf(from_narrow(base), from_narrow(exponent))); }
