# seerdb_flags: warnings, sanitizers and defines of every target of ours.
add_library(seerdb_flags INTERFACE)
target_include_directories(seerdb_flags INTERFACE
  ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
target_compile_options(seerdb_flags INTERFACE -Wall -Wextra -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(seerdb_flags INTERFACE -Wthread-safety -Wthread-safety-beta)
else()
  # GCC 12 reports these wrongly for std::string, std::optional and the AVX-512 intrinsics when it optimizes.
  # Clang, which the sanitizer builds use, has the same checks.
  target_compile_options(seerdb_flags INTERFACE -Wno-uninitialized -Wno-maybe-uninitialized
    -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds)
endif()
if(SEERDB_SANITIZE)
  target_compile_options(seerdb_flags INTERFACE
    -fsanitize=${SEERDB_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(seerdb_flags INTERFACE -fsanitize=${SEERDB_SANITIZE})
endif()
if(SEERDB_MUTANTS)
  target_compile_definitions(seerdb_flags INTERFACE SEERDB_MUTANTS=1)
endif()
if(SEERDB_FAILPOINTS)
  target_compile_definitions(seerdb_flags INTERFACE SEERDB_FAILPOINTS=1)
endif()
