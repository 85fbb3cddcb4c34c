/* The types of obs-studio 28.0 to 32.2 that libobs.c needs (obs.h, obs-source.h), and what the host asks it. */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <windows.h>

#define EXPORT __declspec(dllexport)

typedef void (*obs_task_t)(void *param);

struct obs_video_info {
    const char *graphics_module;
    uint32_t fps_num, fps_den, base_width, base_height, output_width, output_height;
    int output_format;
    uint32_t adapter;
    bool gpu_conversion;
    int colorspace, range, scale_type;
};

struct obs_source_frame {
    uint8_t *data[8];
    uint32_t linesize[8];
    uint32_t width, height;
    uint64_t timestamp;
    int format;
    float color_matrix[16];
    bool full_range;
    uint16_t max_luminance;
    float color_range_min[3], color_range_max[3];
    bool flip;
    uint8_t flags, trc;
    volatile long refs;
    bool prev_frame;
};

struct obs_source_info {
    const char *id;
    int type;
    uint32_t output_flags;
    const char *(*get_name)(void *type_data);
    void *(*create)(void *settings, void *source);
    void (*destroy)(void *data);
    void *get_width, *get_height, *get_defaults;
    void *(*get_properties)(void *data);
    void *update, *activate, *deactivate, *show, *hide, *video_tick, *video_render, *filter_video, *filter_audio;
    void *enum_active_sources, *save, *load, *mouse_click, *mouse_move, *mouse_wheel, *focus, *key_click, *filter_remove;
    void *type_data, *free_type_data, *audio_render, *enum_all_sources, *transition_start, *transition_stop;
    void *get_defaults2, *get_properties2, *audio_mix;
    int icon_type;
    void *media_play_pause, *media_restart, *media_stop, *media_next, *media_previous, *media_get_duration;
    void *media_get_time, *media_set_time, *media_get_state;
    uint32_t version;
    const char *unversioned_id;
};

struct host_look {
    uint32_t width, height, line_bytes;
    int32_t format, references;
    uint64_t pictures, emptied, timestamp;
    bool full_range, immediate;
};
