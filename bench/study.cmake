# study_bench: when learning pays. It uses parts of the library by themselves, and the whole. Needs no peer.
set(key_sets key_sets.cc made_keys.cc real_keys.cc workload.cc path_names.cc)
set(study study_kinds.cc study_measure.cc study_probes.cc eviction.cc btree_fences.cc ${key_sets})
if(SEERDB_BENCH_SELF)
  add_executable(study_bench study_bench.cc study_engine.cc table_memory.cc ${study})
  target_link_libraries(study_bench PRIVATE
    seerdb_flags CLI11::CLI11 nlohmann_json::nlohmann_json seerdb ${SEERDB_LZ4})
endif()
if(SEERDB_BUILD_TESTS)
  seerdb_test(bench_key_sets_test key_sets_test.cc ${key_sets})
  target_link_libraries(bench_key_sets_test PRIVATE seerdb_room_base ${SEERDB_LZ4})
  seerdb_test(bench_study_test study_test.cc ${study})
  target_link_libraries(bench_study_test PRIVATE
    seerdb_room_learned nlohmann_json::nlohmann_json ${SEERDB_LZ4})
endif()
