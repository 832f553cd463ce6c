// The same kind and name as works.cpp.
#include "works.cpp"
