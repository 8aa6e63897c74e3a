# A room is src/<name>: its .cc files without *_test.cc, and its *_test.cc files as one test program.
# Each room is a static library, so that each builds and is tested with only the rooms below it.
set(SEERDB_ROOMS "" CACHE INTERNAL "")
set(SEERDB_TEST_TIMEOUT_S 1200)

# The standard headers that most sources of the rooms begin with, compiled once: they are a third of the time
# that a source takes to compile. What a file uses it still includes itself.
function(seerdb_room_headers name)
  if(NOT TARGET seerdb_room_headers)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/room_headers.cc CONTENT "// Has only its precompiled headers.\n")
    add_library(seerdb_room_headers OBJECT EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/room_headers.cc)
    target_link_libraries(seerdb_room_headers PRIVATE seerdb_flags Threads::Threads)
    target_compile_definitions(seerdb_room_headers PRIVATE SEERDB_SHARED=1)
    target_precompile_headers(seerdb_room_headers PRIVATE
      <algorithm> <atomic> <functional> <map> <memory> <optional> <set> <string> <utility> <vector>)
  endif()
  target_precompile_headers(${name} REUSE_FROM seerdb_room_headers)
endfunction()

function(seerdb_room name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  if(sources)
    add_library(seerdb_room_${name} STATIC ${sources})
    target_link_libraries(seerdb_room_${name} PUBLIC seerdb_flags)
    foreach(dependency ${ARGN})
      if(TARGET seerdb_room_${dependency})
        target_link_libraries(seerdb_room_${name} PUBLIC seerdb_room_${dependency})
      endif()
    endforeach()
    target_compile_definitions(seerdb_room_${name} PRIVATE SEERDB_SHARED=1)
    target_link_libraries(seerdb_room_${name} PUBLIC Threads::Threads)
    seerdb_room_headers(seerdb_room_${name})
    if(name STREQUAL "sstable")
      target_link_libraries(seerdb_room_${name} PUBLIC ${SEERDB_LZ4} ${SEERDB_ZSTD})
    endif()
    set(SEERDB_ROOMS "${SEERDB_ROOMS};${name}" CACHE INTERNAL "")
  endif()
endfunction()

function(seerdb_library)
  set(objects "")
  foreach(room ${SEERDB_ROOMS})
    list(APPEND objects $<TARGET_OBJECTS:seerdb_room_${room}>)
  endforeach()
  add_library(seerdb STATIC ${objects})
  add_library(seerdb::seerdb ALIAS seerdb)
  set(targets seerdb)
  if(SEERDB_BUILD_SHARED)
    add_library(seerdb_shared SHARED ${objects})
    add_library(seerdb::seerdb_shared ALIAS seerdb_shared)
    set_target_properties(seerdb_shared PROPERTIES OUTPUT_NAME seerdb
      VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
    target_link_options(seerdb_shared PRIVATE -Wl,--exclude-libs,ALL
      -Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/seerdb.map)
    set_target_properties(seerdb_shared PROPERTIES LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/seerdb.map)
    list(APPEND targets seerdb_shared)
  endif()
  foreach(target ${targets})
    set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
    target_compile_features(${target} PUBLIC cxx_std_20)
    target_include_directories(${target} INTERFACE
      $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    # Installed, the codecs are looked up where the library is used (seerdbConfig.cmake), not here.
    target_link_libraries(${target} PRIVATE Threads::Threads
      $<BUILD_INTERFACE:${SEERDB_LZ4}> $<INSTALL_INTERFACE:seerdb::lz4>
      $<BUILD_INTERFACE:${SEERDB_ZSTD}> $<INSTALL_INTERFACE:seerdb::zstd>)
    if(SEERDB_SANITIZE)
      target_link_options(${target} PUBLIC -fsanitize=${SEERDB_SANITIZE})
    endif()
  endforeach()
endfunction()

# One program <room>_test for each room that has tests.
function(seerdb_room_tests)
  foreach(room ${SEERDB_ROOMS})
    file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*_test.cc)
    if(tests)
      seerdb_test(${room}_test ${tests})
      target_link_libraries(${room}_test PRIVATE seerdb_room_${room})
    endif()
  endforeach()
endfunction()

# What all test programs have in common, GoogleTest's headers compiled once among it: they are two thirds of
# the time that a test takes to compile.
function(seerdb_test_settings name)
  target_link_libraries(${name} PRIVATE seerdb_flags GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_definitions(${name} PRIVATE SEERDB_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  # A test's own code is not what takes its time; compiling it is.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()

# Arguments after the name: options of the tests that use it.
function(seerdb_test_headers name)
  if(TARGET ${name})
    return()
  endif()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${name}.cc CONTENT "// Has only its precompiled headers.\n")
  add_executable(${name} EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/${name}.cc)
  seerdb_test_settings(${name})
  target_compile_options(${name} PRIVATE ${ARGN})
  target_precompile_headers(${name} PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
endfunction()

# The longest begin first, so that none is left to run alone at the end. The code of those that run for a short
# time is not optimized for AddressSanitizer: compiling would take three times as long, which is more than it saves.
function(seerdb_test name)
  set(cost 0)
  set(headers seerdb_test_headers)
  set(options "")
  if(name MATCHES "^(limits|faults|differential|concurrency|kill|metamorphic|bad_input)_test$")
    set(cost 100)
  elseif(name STREQUAL "gating_test")
    set(cost 1000)
  elseif(SEERDB_SANITIZE MATCHES "address" AND NOT name MATCHES "^(compaction|iter|learned|memtable|sstable)_test$")
    set(headers seerdb_plain_test_headers)
    set(options -O0)
  endif()
  seerdb_test_headers(${headers} ${options})
  add_executable(${name} ${ARGN})
  seerdb_test_settings(${name})
  target_compile_options(${name} PRIVATE ${options})
  target_precompile_headers(${name} REUSE_FROM ${headers})
  # Most of what a test takes to compile is the same for its neighbours. Names of a program's sources differ
  # therefore even where they are a file's own.
  set_target_properties(${name} PROPERTIES UNITY_BUILD ${SEERDB_UNITY_TESTS})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${SEERDB_TEST_TIMEOUT_S} COST ${cost})
endfunction()
