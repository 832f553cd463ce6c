# What doxygen reads instead of a header: the plain comment at its beginning, which it would not look at, describes the file.
1s|^// ?|/// @file\n/// |
1!{
  /^#pragma once/b rest
  s|^//( .*)?$|///\1|
}
b
:rest
n
s|\[any-thread\]|<br>**Threads**: any.|
s|\[one-thread\]|<br>**Threads**: one at a time.|
s|\[any-thread; runs without gradients([^]]*)\]|<br>**Threads**: any; runs without gradients\1.|
b rest
